/** The shapes of the operators' accounts, operations, revocations and events in the OpenAPI document. */
import * as z from 'zod';
import { operationShape } from '../operations/operation.ts';
import { tokenKind } from '../policy/resource-schema.ts';
import { scopeShape } from '../revocation/events/request.ts';
import { BLOCKS, PHASES } from '../rotation/plan-row.ts';
import type { Step } from '../rotation/shown.ts';
import { instant } from './openapi-audit-shapes.ts';

const slot = z.enum(['Key1', 'Key2']);
const milliseconds = z.number().min(0);
const reason = z
  .string()
  .min(1)
  .max(256)
  .describe('Why, in one line of text. It goes on record; what looks like a key or a token is left out.');
/** A page of a list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next: z
      .string()
      .optional()
      .describe(
        'Send as `after` for the next page. The last page has none; a page may have few items or none.',
      ),
  });

export const account = z.strictObject({
  name: z.string(),
  kind: z.string(),
  tokenKinds: z.array(tokenKind),
  rotates: z.boolean().describe('False: the broker has no keys of this account, or does not rotate them.'),
  asOf: instant
    .optional()
    .describe('When the rotator app looked. What it has not looked at yet has neither this nor slots.'),
  state: z.string().optional().describe('For people: `draining (Key1)`, `stuck: proving (Key2)`.'),
  phase: z.enum(PHASES).optional().describe('Absent: not adopted yet, or its row cannot be read.'),
  active: slot.optional().describe("The slot whose key is the vault's current version."),
  slots: z
    .array(
      z.strictObject({
        slot,
        state: z.enum(['active', 'spare', 'retiring', 'unknown']),
        fingerprint: z.string().optional().describe("The first 16 hexadecimal digits of the key's SHA-256."),
        since: instant.optional().describe('When the key was made. Absent: nobody saw it.'),
        tokensUntil: instant
          .optional()
          .describe('While it drains: until when a token that was bought with it may live.'),
      }),
    )
    .optional(),
  next: z
    .strictObject({
      what: z.string().describe('What the next tick does, or what it waits for.'),
      at: instant.optional().describe('Absent: with the next tick.'),
    })
    .optional(),
  blocked: z
    .strictObject({
      code: z.enum(BLOCKS).describe('infra/README.md says what to do about each.'),
      what: z.string(),
      advice: z.string().optional().describe('What a person should do.'),
    })
    .optional(),
  dueAt: instant.optional(),
  rotatedAt: instant.optional().describe('Absent: no whole rotation since the account was adopted.'),
  overdue: z.boolean().optional(),
  stuck: z.boolean().optional(),
  keyOfUnknownAge: z.boolean().optional(),
  paused: z
    .strictObject({ by: z.string(), reason: z.string(), at: instant.optional() })
    .optional()
    .describe('An emergency ignores it.'),
});
const lags = z
  .strictObject({ at: instant, newKeyLagMs: milliseconds.optional(), oldKeyLagMs: milliseconds.optional() })
  .optional()
  .describe('Of the last rotation that has measured them.');

const step = z.strictObject({
  at: instant,
  what: z.string(),
  slot: slot.optional(),
  from: z.string(),
  to: z.string(),
  tookMs: milliseconds.describe('How long the rotation was in the phase `from`.'),
  by: z.string(),
  emergency: z.literal(true).optional(),
  newKeyLagMs: milliseconds.optional().describe('From the regenerate until the new key was seen accepted.'),
  oldKeyLagMs: milliseconds.optional().describe('And until the old one was seen refused.'),
}) satisfies z.ZodType<Step>;

const rotateRequest = z.strictObject({
  slot: slot.optional().describe('Absent: what the schedule would do; in an emergency both slots.'),
  emergency: z
    .boolean()
    .optional()
    .describe(
      'Without the drain: the slot is regenerated while tokens bought with it may still live, ten minutes at most. From the answer on none of them is handed out (once the rotator has taken the account over); where it is the current slot, exchanges are answered 503 until the rotator has promoted the other one.',
    ),
  reason,
});
const revocation = {
  key: z.string(),
  scope: scopeShape,
  cutOff: instant,
  blocked: z.boolean(),
  reason: z.string(),
  source: z.string(),
  receivedAt: instant,
  inForceAt: instant,
  timeToEffectMs: z.int(),
  lastTokenUntil: instant.describe('When the last token that is already out has run out.'),
};

export const operatorShapes = {
  accounts: listOf(account),
  account: z.strictObject({ ...account.shape, lags }),
  accountDone: z.strictObject({ ...account.shape, operation: z.guid() }),
  history: listOf(step),
  reasonOnly: z.strictObject({ reason }),
  rotateRequest,
  started: z.strictObject({ operation: z.guid().describe('Follow it at /operator/operations.') }),
  operations: listOf(operationShape),
  operation: operationShape,
  revocationRequest: z.strictObject({
    scope: scopeShape,
    notBefore: instant
      .optional()
      .describe('Tokens issued before are refused, and those dated up to two minutes after. Absent: now.'),
    block: z.boolean().optional().describe('Refuse all tokens until the scope is lifted.'),
    reason,
  }),
  revocationEffect: z.strictObject({ operation: z.guid(), ...revocation }),
  revocations: listOf(
    z.looseObject({ ...revocation, scope: z.looseObject({ kind: z.string() }) }).partial({
      inForceAt: true,
      timeToEffectMs: true,
      lastTokenUntil: true,
    }),
  ),
  lift: z.strictObject({ scope: scopeShape, reason }),
  lifted: z.strictObject({
    operation: z.guid(),
    scope: scopeShape,
    lifted: z.boolean().describe('Whether anything was blocked.'),
  }),
  events: listOf(
    z
      .object({ kind: z.enum(['effect', 'signal', 'poison']), at: z.string() })
      .catchall(z.string())
      .describe(
        '`effect`: a revocation was in force. `signal`: a Security Event Token. `poison`: not usable.',
      ),
  ),
};
