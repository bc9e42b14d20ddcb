/**
 * The policy: who may have which token for which resource. The policy's types, infra/policy.schema.json and
 * infra/POLICY.md (`npm run schema`) are made from this file. Unknown keys are refused everywhere.
 */
import * as z from 'zod';
import { duration } from './duration.ts';
import { guid, name, pattern } from './formats.ts';
import { resource, tokenKind } from './resource-schema.ts';
import { transmitter } from './transmitter-schema.ts';

const tenant = z
  .strictObject({
    name: name.meta({ description: 'By which grants and transmitters name the tenant.', examples: ['home'] }),
    id: guid.meta({ description: "The tenant's id in Entra (`az account show --query tenantId`)." }),
  })
  .meta({ description: 'An Entra tenant whose callers may come.' });

/** What a rule may ask of a caller beside its tenant. */
const conditions = {
  clientId: guid
    .meta({
      description: 'The application (client) id of the calling application, or of the app that a user uses.',
    })
    .optional(),
  objectId: guid
    .meta({
      description:
        "The object id of one user, or of one application's service principal or managed identity.",
    })
    .optional(),
  blueprint: guid
    .meta({
      description:
        'The application (client) id of the blueprint of Entra agent identities (`xms_par_app_azp`): every agent of it, and nobody else.',
    })
    .optional(),
  appRole: z
    .string()
    .min(1)
    .meta({
      description:
        "An app role in the caller's token, case-sensitive. The broker's registration has Token.Exchange for applications, Broker.User for people, Broker.Operator and Broker.Auditor for both, Broker.Publisher for pipelines. Another one is warned of.",
      examples: ['Token.Exchange'],
    })
    .optional(),
  scope: z
    .string()
    .min(1)
    .meta({
      description: "A scope in a user's token, without `api://…/`. Tokens of applications have none.",
      examples: ['Token.Exchange'],
    })
    .optional(),
  group: guid.meta({ description: 'The object id of an Entra group that is in the token.' }).optional(),
};

const caller = z
  .strictObject({
    tenant: name.meta({ description: 'The name of one of `tenants`.', examples: ['home'] }),
    ...conditions,
    shadow: z
      .strictObject(conditions)
      .refine((shadow) => Object.keys(shadow).length > 0, 'names no condition')
      .meta({
        description:
          'Conditions that are tried and not in force: the audit says whom the rule would have denied with them (`would-have-denied`), or granted. One that the rule has too is tried in its place.',
        examples: [{ group: '6d9e5f0c-8a4b-4c7d-9e1f-2a3b4c5d6e7f' }],
      })
      .optional(),
  })
  .meta({
    description:
      'A rule about callers. It matches a caller for whom everything it names holds; it must name more than the tenant.',
  });

const grant = z
  .strictObject({
    name: name.meta({
      description: 'By which the audit and revocations name the grant.',
      examples: ['captions-speech'],
    }),
    shadow: z
      .boolean()
      .meta({
        description:
          'The grant is tried and not in force: nobody gets a token by it, and the audit says who would have (`would-have-granted`).',
        examples: [true],
      })
      .optional(),
    callers: z
      .array(caller)
      .min(1)
      .meta({
        description: 'Who may have the tokens: a caller who matches one of these rules.',
        examples: [[{ tenant: 'home', appRole: 'Token.Exchange' }]],
      }),
    resources: z
      .array(pattern)
      .min(1)
      .meta({
        description: 'For which resources: a name, or a beginning of names with one `*` at its end.',
        examples: [['speech', 'docs-*']],
      }),
    tokenKinds: z
      .array(tokenKind)
      .min(1)
      .meta({
        description:
          'Which kinds of token, among those that the resource gives; the first is taken without a wish.',
        examples: [['sts']],
      }),
    maxLifetime: duration(
      'A token with more life left is never handed out under this grant. A duration: at least `10m` for `sts`, `90m` for `entra` and `obo`, `24h` for a managed identity.',
      '10m',
    ),
    rate: z
      .strictObject({
        count: z
          .int()
          .min(1)
          .max(1_000_000)
          .meta({ description: 'How many exchanges.', examples: [60] }),
        per: duration('In how long. A duration.', '1m'),
      })
      .meta({
        description: 'How many exchanges each caller may make under this grant. Counted by each instance.',
        examples: [{ count: 60, per: '1m' }],
      }),
  })
  .meta({
    description:
      'What is not granted is denied. A grant lets callers have tokens of some kinds for resources.',
  });

export const policySchema = z
  .strictObject({
    $schema: z
      .string()
      .meta({ description: 'For the editor.', examples: ['./policy.schema.json'] })
      .optional(),
    tenants: z
      .array(tenant)
      .min(1)
      .meta({ description: 'Whose callers may come. A caller of any other tenant is refused.' }),
    resources: z.array(resource).min(1).meta({ description: 'The Azure AI accounts.' }),
    grants: z
      .array(grant)
      .meta({ description: 'Who may have which tokens. An empty list denies everything.' }),
    transmitters: z
      .array(transmitter)
      .meta({ description: 'Who may push Security Event Tokens to `POST /signals`.' })
      .default([]),
  })
  .meta({
    description: 'Who may have which token for which Azure AI account, and how the account keys rotate.',
  });

export type Policy = z.infer<typeof policySchema>;
export type Resource = Policy['resources'][number];
export type Grant = Policy['grants'][number];
export type CallerRule = Grant['callers'][number];
export type Transmitter = Policy['transmitters'][number];
export type Rotation = NonNullable<Resource['rotation']>;
