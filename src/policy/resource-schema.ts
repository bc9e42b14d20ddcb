/** The shape of a resource of the policy: an Azure AI account, the tokens it gives, and how its keys rotate. */
import * as z from 'zod';
import { TOKEN_KINDS } from '../token-kind.ts';
import { duration } from './duration.ts';
import { guid, httpsHost, name, timeOfDay, written } from './formats.ts';

export const tokenKind = z.enum(TOKEN_KINDS);

const identity = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('application') }).meta({
      description:
        "The broker's app registration, which trusts the broker's own identity. Its tokens live 60 to 90 minutes.",
    }),
    z.strictObject({ kind: z.literal('systemAssigned') }).meta({
      description: "The function app's own identity. Its tokens live up to 24 hours.",
    }),
    z
      .strictObject({
        kind: z.literal('userAssigned'),
        clientId: guid.meta({
          description:
            'The client id of an identity that the function app carries (`identities` in environments.json).',
        }),
      })
      .meta({ description: 'An identity that several resources can share. Its tokens live up to 24 hours.' }),
  ])
  .meta({
    description: 'Whose `entra` tokens callers get. It needs a data role on the account (environments.json).',
    examples: [{ kind: 'application' }],
  });

const consumer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('keyVaultReferences') }).meta({
    description:
      'App Service or Functions apps with a Key Vault reference to the secret, which they read again within 24 hours.',
  }),
  z
    .strictObject({
      kind: z.literal('application'),
      name: z
        .string()
        .min(1)
        .meta({
          description: 'A name for people, shown in the plan of rotations.',
          examples: ['billing-job'],
        }),
      within: duration('The longest time after which the application has read a new key. A duration.', '2h'),
    })
    .meta({ description: 'Any other application that reads the secret by itself.' }),
]);

const rotation = z
  .strictObject({
    period: duration('From one rotation of a key to the next. A duration.', '30d').prefault('30d'),
    keysSince: z.iso
      .datetime({
        offset: true,
        error: ({ code, input }) =>
          code === 'invalid_type'
            ? undefined
            : `${JSON.stringify(input)} is no time with its day, hour and offset, for example "2026-11-01T00:00:00Z"`,
      })
      .meta({ examples: ['2026-11-01T00:00:00Z'] })
      .transform((text) => Date.parse(text))
      .meta({
        description:
          'Both keys of the account were made at or after this time (RFC 3339). Without it a key that the broker did not make has an unknown age and is rotated within a day of adoption.',
      })
      .optional(),
    mode: z
      .enum(['full', 'alternating'])
      .meta({
        description:
          '`full`: both keys in each period, one after the other. `alternating`: one key in each period.',
        examples: ['full'],
      })
      .default('full'),
    paused: z
      .boolean()
      .meta({
        description:
          'No rotation starts or goes on until this is false again. Emergencies and repairs are not held back. A pause or resume of an operator beats it.',
        examples: [true],
      })
      .default(false),
    blackout: z
      .strictObject({
        from: timeOfDay.meta({ description: 'The beginning, HH:MM in UTC.', examples: ['07:00'] }),
        to: timeOfDay.meta({
          description: 'The end, HH:MM in UTC. If it is before `from`, midnight is in between.',
          examples: ['19:00'],
        }),
      })
      .meta({
        description: 'A time of day in which no rotation starts. A running one goes on.',
        examples: [{ from: '07:00', to: '19:00' }],
      })
      .optional(),
    consumers: z
      .array(consumer)
      .meta({
        description:
          'Who else reads the key from the secret. The old key is kept until all of them had their time.',
        examples: [[{ kind: 'keyVaultReferences' }]],
      })
      .default([]),
  })
  .meta({
    description:
      "How the account's keys are rotated into `secret`; `{}` takes every initial value. Without this member the broker changes no key.",
    examples: [{ period: '30d' }],
  });

/** 32 hexadecimal digits, or 84 letters and digits: an account's key itself, which nobody may write into a policy. */
const ACCOUNT_KEY = /^([0-9a-f]{32}|[0-9a-z]{84})$/i;
/** The message never repeats what was written: it may be a key. */
const secretName = z
  .string()
  .superRefine((text, context) => {
    if (ACCOUNT_KEY.test(text))
      context.addIssue(
        'looks like an account key itself: regenerate that key, and write the name of the Key Vault secret, for example "speech-key"',
      );
    else if (!/^[0-9a-zA-Z-]{1,127}$/.test(text))
      context.addIssue(
        'must be the name of a Key Vault secret alone, letters, digits and hyphens, at most 127, for example "speech-key"',
      );
  })
  .meta({ pattern: '^[0-9a-zA-Z-]{1,127}$' });

const ACCOUNT_EXAMPLE =
  '/subscriptions/8a1f2c3d-4b5e-4f60-9a7b-0c1d2e3f4a5b/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/contoso-speech';

export const resource = z
  .strictObject({
    name: name.meta({
      description: 'By which grants, callers (`audience`), operators and the audit name the account.',
      examples: ['speech'],
    }),
    accountId: written(
      /^\/subscriptions\/[0-9a-fA-F-]{36}\/resourceGroups\/[^/\\#?%\s]{1,90}\/providers\/Microsoft\.CognitiveServices\/accounts\/[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/i,
      'resource id of an Azure AI account (`az cognitiveservices account show --query id`)',
      ACCOUNT_EXAMPLE,
    ).meta({
      description: "The account's resource id in Azure Resource Manager.",
      examples: [ACCOUNT_EXAMPLE],
    }),
    kind: z
      .string()
      .min(1)
      .meta({
        description:
          "The account's kind as Azure Resource Manager names it, such as SpeechServices, TextTranslation, OpenAI or AIServices (`az cognitiveservices account show --query kind`). A kind that is not known here is warned of.",
        examples: ['SpeechServices'],
      }),
    region: written(
      /^[a-z0-9]+$/,
      'region of Azure: its name has lower-case letters and digits and no blank',
      'westeurope',
      (text) => text.toLowerCase().replace(/[^a-z0-9]/g, '') || 'westeurope',
    ).meta({ description: "The account's region; callers are told.", examples: ['westeurope'] }),
    endpoint: httpsHost('https://contoso-chat.openai.azure.com').meta({
      description:
        "The account's own host (its custom subdomain), without a path. Callers may name it as `resource`.",
      examples: ['https://contoso-speech.cognitiveservices.azure.com'],
    }),
    regionalEndpoint: httpsHost('https://westeurope.api.cognitive.microsoft.com')
      .meta({
        description:
          "The region's host, without a path, if callers use it. An `sts` token works only at the host that issued it.",
        examples: ['https://westeurope.api.cognitive.microsoft.com'],
      })
      .optional(),
    tokenKinds: z
      .array(tokenKind)
      .min(1)
      .meta({
        description:
          'Which tokens the account gives: `sts` (10 minutes, bought with its key), `entra` (of `identity`), `obo` (on behalf of the calling user).',
        examples: [['sts', 'entra']],
      }),
    identity: identity.default({ kind: 'application' }),
    /** A token for a scope that is not of Azure AI would give away the broker's own rights. */
    scope: written(
      /^https:\/\/(cognitiveservices|ai)\.azure\.(com|us|cn)\/\.default$/,
      'scope of Azure AI (https://cognitiveservices.azure.com/.default or https://ai.azure.com/.default, in sovereign clouds .us or .cn)',
      'https://cognitiveservices.azure.com/.default',
    )
      .meta({
        description: 'The scope of its `entra` and `obo` tokens.',
        examples: ['https://ai.azure.com/.default'],
      })
      .default('https://cognitiveservices.azure.com/.default'),
    maxLifetime: duration(
      'No token of this account with more life left is handed out. A duration. Required as `24h` with a managed identity, so that the long life of its tokens is a decision.',
      '24h',
    ).optional(),
    secret: secretName
      .meta({
        description:
          "The name of the Key Vault secret that holds the account's current key. Required for `sts` and for `rotation`.",
        examples: ['speech-key'],
      })
      .optional(),
    rotation: rotation.optional(),
  })
  .meta({ description: 'One Azure AI account.' });
