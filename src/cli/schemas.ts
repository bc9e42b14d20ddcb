/** What each command prints with `--json`, as shapes. The tests hold every output to them. */
import * as z from 'zod';
import { audit, explanation, whatIf } from '../http/openapi-audit-shapes.ts';
import { operatorShapes } from '../http/openapi-operator-shapes.ts';
import { policyShapes } from '../http/openapi-policy-shapes.ts';
import { recordShapes, verdict } from '../http/openapi-record-shapes.ts';
import { TOKEN_KINDS } from '../token-kind.ts';

const instant = z.iso.datetime({ offset: true });
const names = z.array(z.string());
const { account, accountDone, accounts, history, operation, operations } = operatorShapes;
const { revocationEffect, revocations, lifted, events } = operatorShapes;
const itemsOf = <Item extends z.ZodType>({ shape: { items } }: { shape: { items: Item } }) =>
  z.strictObject({ items });
const oneOrAll = z
  .union([accountDone, z.strictObject({ items: z.array(accountDone) })])
  .describe('The second with --all or several accounts.');
const place = z.strictObject({ commit: z.string().optional(), file: z.string().optional(), line: z.int() });

export const SHAPES: Readonly<Record<string, z.ZodType>> = {
  token: z.strictObject({
    resource: z.string(),
    accessToken: z.string(),
    speechAuthorization: z
      .string()
      .optional()
      .describe('What the Speech SDK wants instead of an Entra token.'),
    tokenKind: z.enum(TOKEN_KINDS),
    endpoint: z.string().describe('Where the token is good.'),
    region: z.string(),
    expiresAt: instant,
    refreshAt: instant.describe('From then on a new one should be got.'),
  }),
  proxy: z.strictObject({ url: z.string(), key: z.string(), resource: z.string(), endpoint: z.string() }),
  whoami: z.strictObject({
    broker: z.string(),
    kind: z.enum(['user', 'application']),
    name: z.string().optional(),
    tenantId: z.string(),
    objectId: z.string(),
    clientId: z.string(),
    roles: names,
    scopes: names,
    groups: names,
    expiresAt: instant.describe('Of your own token.'),
    accepted: z.boolean().describe('Whether the broker accepts you at all.'),
    why: z.string().optional().describe('Why it does not.'),
    may: z
      .array(z.strictObject({ resource: z.string(), tokenKinds: names }))
      .optional()
      .describe('Absent where nobody tells you.'),
  }),
  status: z.union([itemsOf(accounts), z.strictObject({ ...account.shape, history: history.shape.items })]),
  rotate: z.union([operation, operatorShapes.started]).describe('The second where it is not followed.'),
  pause: oneOrAll,
  resume: oneOrAll,
  revoke: revocationEffect,
  lift: lifted,
  revocations: itemsOf(revocations),
  operation: z.union([operation, itemsOf(operations)]).describe('The second where no id is given.'),
  explain: explanation,
  'what-if': whatIf,
  audit: itemsOf(audit),
  'audit verify': verdict,
  usage: itemsOf(recordShapes.usage),
  events: itemsOf(events),
  'policy check': z.strictObject({
    file: z.string(),
    valid: z.boolean(),
    problems: names,
    warnings: names,
    changes: names.optional().describe('With --against: who gains or loses what.'),
    againstProblems: names.optional(),
    whatIf: whatIf.optional().describe('With --against URL: the requests of the last day under this policy.'),
  }),
  'policy diff': policyShapes.policyApplied,
  'policy apply': policyShapes.policyApplied,
  'policy versions': itemsOf(policyShapes.policyVersions),
  'policy rollback': policyShapes.policyApplied,
  advise: z.strictObject({
    days: z.int(),
    keysNobodyNeeds: names,
    keysOfUnknownAge: z.array(z.strictObject({ account: z.string(), slot: z.string() })),
    grantsNobodyUsed: names.optional(),
    callersWithMoreThanTheyUse: z
      .array(z.strictObject({ objectId: z.string(), clientId: z.string(), uses: names, unused: names }))
      .optional(),
  }),
  doctor: z.strictObject({
    checks: z.array(
      z.strictObject({
        check: z.string(),
        fine: z.boolean(),
        says: z.string(),
        todo: z.string().optional(),
        skipped: z.literal(true).optional().describe('You may not look: that is no failure.'),
      }),
    ),
  }),
  leak: z.strictObject({
    found: z.array(
      z.strictObject({
        fingerprint: z.string().describe("The first 16 hexadecimal digits of the key's SHA-256."),
        account: z.string(),
        slot: z.string(),
        state: z.string(),
        places: z.array(place),
      }),
    ),
    others: z.int().describe('Texts of the shape of a key that open none of the accounts today.'),
    operations: names.optional().describe('With --rotate: one for each that was found.'),
  }),
};
/** What stderr has beside an exit code other than 0, with `--json`. */
export const FAILURE = z.strictObject({
  error: z.string(),
  nextStep: z.string().optional(),
  exitCode: z.int(),
});
