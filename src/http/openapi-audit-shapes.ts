/** The shapes of the audit's records, and of what is told about them: explanations and what-if, in the OpenAPI document. */
import * as z from 'zod';
import { tokenKind } from '../policy/resource-schema.ts';
import { scopeShape } from '../revocation/events/request.ts';

export const instant = z.iso.datetime({ offset: true });
export const seconds = z.int().min(0);

export const audit = z.strictObject({
  items: z.array(
    z.looseObject({
      at: instant,
      correlationId: z.string(),
      outcome: z
        .enum(['granted', 'refused', 'withheld', 'done', 'failed'])
        .describe(
          'Of an exchange; `done` and `failed` are of an act of an operator, which may be `refused` too.',
        ),
      act: z
        .string()
        .optional()
        .describe('What an operator did or tried; such a record is about no exchange.'),
      target: z.string().optional(),
      operation: z.string().optional(),
      problem: z.string().optional().describe('Why an act was refused or failed.'),
      instance: z.string(),
      resource: z
        .string()
        .optional()
        .describe('In a refusal it may be what the caller named instead, without secrets and cut short.'),
      shadow: z
        .array(z.string())
        .optional()
        .describe(
          '`would-have-denied` or `would-have-granted`, and the grant: what is in shadow would decide so.',
        ),
      asked: tokenKind.optional().describe('The kind that the caller asked for, where it asked for one.'),
      claims: z
        .strictObject({
          kind: z.enum(['user', 'application']),
          issuedAt: seconds.describe("The token's `iat`."),
          appRoles: z.array(z.string()).optional(),
          scopes: z.array(z.string()).optional(),
          groups: z.array(z.string()).optional().describe('Those that a rule of the policy names.'),
          otherGroups: z
            .string()
            .optional()
            .describe('The first four digits of each further group, one after the other.'),
          left: z.int().optional().describe('How many further roles, scopes and groups are not recorded.'),
          groupOverage: z.boolean().optional(),
          agent: z
            .strictObject({
              blueprintId: z.string(),
              actsFor: z.enum(['itself', 'own_account', 'person', 'unstated']),
            })
            .optional()
            .describe('An Entra agent identity asked: clientId is its own, objectId of whom it acts for.'),
        })
        .optional()
        .describe('What the rules of a policy see of the caller beside its ids.'),
      count: z.int().optional().describe('How many refusals of unverified callers the record stands for.'),
      samples: z
        .array(z.strictObject({ correlationId: z.string(), resource: z.string().optional() }))
        .optional()
        .describe('Some of them: the first, and others that asked for another resource.'),
    }),
  ),
  next: z
    .string()
    .optional()
    .describe(
      'Send as `after` for the next page. A page may have few records or none; the last one has no `next`.',
    ),
});
const recordedCaller = z.strictObject({
  tenantId: z.string().optional(),
  clientId: z.string().optional(),
  objectId: z.string().optional(),
  claims: audit.shape.items.element.shape.claims,
});
const oneOrMore = z.string().or(z.array(z.string()));
const explained = {
  outcome: z.enum(['granted', 'refused']),
  reason: z.string().optional().describe('As the audit says it.'),
  advice: z.string().describe("What the app's owner can do."),
  grant: z.string().optional(),
  tokenKind: tokenKind.optional(),
  grants: z
    .array(
      z.strictObject({
        name: z.string(),
        applies: z.boolean(),
        conditions: z.array(
          z.strictObject({
            condition: z.enum([
              'tenant',
              'clientId',
              'objectId',
              'blueprint',
              'appRole',
              'scope',
              'group',
              'tokenKind',
            ]),
            wanted: oneOrMore,
            had: oneOrMore,
            met: z.boolean(),
            rule: z
              .int()
              .optional()
              .describe("Which of the grant's callers. One of them, with all its conditions, is enough."),
          }),
        ),
      }),
    )
    .describe('Each grant that names the resource.'),
  revocations: z
    .array(z.strictObject({ grant: z.string(), scope: scopeShape, cutOff: instant, blocked: z.boolean() }))
    .describe('What refuses the caller under the grants that apply.'),
  limits: z
    .array(
      z.strictObject({
        grant: z.string(),
        count: z.int(),
        perSeconds: z.number(),
        maxLifetimeSeconds: z.number(),
      }),
    )
    .describe('What holds beside the conditions under the grants that apply.'),
};
export const explanation = z
  .strictObject({
    ...explained,
    correlationId: z.string().optional(),
    at: instant.optional(),
    resource: z.string().optional(),
    caller: recordedCaller.optional(),
    unknown: z.string().optional().describe('What the explanation cannot know.'),
    now: z.strictObject(explained).optional().describe('What the same caller would be answered now.'),
    changes: z
      .array(
        z.strictObject({
          what: z.string(),
          patch: z.array(
            z.strictObject({ op: z.enum(['add', 'replace']), path: z.string(), value: z.unknown() }),
          ),
        }),
      )
      .describe('The smallest changes of the policy that flip the refusal (RFC 6902). Each was tried.'),
    callerChanges: z
      .array(
        z.strictObject({
          what: z.string(),
          caller: z.strictObject({
            appRoles: z.array(z.string()).optional(),
            scopes: z.array(z.string()).optional(),
            groups: z.array(z.string()).optional(),
            issuedAtSeconds: seconds.optional(),
          }),
          tokenKind: tokenKind.optional(),
        }),
      )
      .describe('Changes of the caller, or of what it asks for, that flip it. Each was tried.'),
  })
  .or(
    z
      .strictObject({
        correlationId: z.string(),
        at: instant,
        outcome: z.enum(['granted', 'refused']),
        reason: z.string(),
        advice: z.string(),
        caller: recordedCaller.optional(),
        now: z.strictObject({ outcome: z.enum(['granted', 'refused']) }).optional(),
      })
      .describe('What a caller reads about its own refusal.'),
  );
export const whatIf = z.strictObject({
  from: instant,
  to: instant,
  until: instant
    .optional()
    .describe('Only until here could be read in time: ask again from here, or for a shorter span.'),
  requests: z.int().describe('Of verified callers.'),
  same: z.int(),
  unknown: z.int().describe('The record does not hold enough of the caller to say.'),
  changed: z.array(
    z.strictObject({
      caller: z.strictObject({ tenantId: z.string(), clientId: z.string(), objectId: z.string() }),
      resource: z.string(),
      tokenKind: z.string().optional(),
      before: z.enum(['granted', 'refused']),
      after: z.enum(['granted', 'refused']),
      grant: z.string().optional().describe('Which gives before or after.'),
      reason: z.string().optional().describe('Why it is refused before or after.'),
      count: z.int(),
      example: z.string().describe('The correlation id of one of them.'),
    }),
  ),
  unlisted: z.int().describe('Changed requests beyond the thousand entries of the list.'),
});
