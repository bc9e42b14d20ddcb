/** What each command prints with `--json`, as shapes. The tests hold every output to them. */
import * as z from 'zod';
import { TOKEN_KINDS } from '../token-kind.ts';

const instant = z.iso.datetime({ offset: true });
const names = z.array(z.string());

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
};
/** What stderr has beside an exit code other than 0, with `--json`. */
export const FAILURE = z.strictObject({
  error: z.string(),
  nextStep: z.string().optional(),
  exitCode: z.int(),
});
