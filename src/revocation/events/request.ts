/**
 * A revocation asked for in so many words: by the broker's own event or by an operator. Unknown members are
 * ignored, so that a newer sender is understood; what is missing or mistyped is a problem, never a default.
 */
import * as z from 'zod';
import { IDENTIFIER } from '../../facts/entra.ts';
import { type Invalid, invalid } from '../../invalid.ts';
import type { Policy } from '../../policy/schema.ts';
import type { Scope } from '../../ports.ts';
import { respell } from './envelope.ts';

const guid = z
  .string()
  .regex(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, 'must be a GUID')
  .toLowerCase();
const identifier = z.string().regex(IDENTIFIER, 'must be as Entra writes it');
const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9-]+$/, 'must be a name of the policy');

const SCOPE_MEMBERS = ['kind', 'tenantId', 'objectId', 'subject', 'clientId', 'uti', 'name'];
/** What a scope looks like, for whoever describes it. */
export const scopeShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tenant'), tenantId: guid }),
  z.object({ kind: z.literal('user'), tenantId: guid, objectId: guid }),
  z.object({ kind: z.literal('subject'), tenantId: guid, subject: identifier }),
  z.object({ kind: z.literal('client'), tenantId: guid, clientId: guid }),
  z.object({ kind: z.literal('token'), tenantId: guid, uti: identifier }),
  z.object({ kind: z.literal('resource'), name }),
  z.object({ kind: z.literal('grant'), name }),
]);
const scope = z.preprocess((value) => respell(value, SCOPE_MEMBERS), scopeShape);

/** RFC 3339, with any offset. */
const instant = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 date and time' })
  .transform((text) => Date.parse(text));

const requestSchema = z.object({
  scope,
  notBefore: instant.nullish(),
  block: z.boolean().nullish(),
  reason: z.string().max(10_000).nullish(),
});

export interface RevocationRequest {
  readonly scope: Scope;
  /** Tokens issued before are refused; undefined: now. */
  readonly notBeforeMs: number | undefined;
  readonly block: boolean;
  readonly reason: string;
}

/** @returns the request, or every problem in one line. */
export function readRequest(value: unknown, policy: Policy): RevocationRequest | Invalid {
  const parsed = requestSchema.safeParse(respell(value, ['scope', 'notBefore', 'block', 'reason']));
  if (!parsed.success) return problems(parsed.error);
  const { scope, notBefore, block, reason } = parsed.data;
  const unknown = unknownName(scope, policy);
  if (unknown !== undefined) return invalid(unknown);
  return {
    scope,
    notBeforeMs: notBefore ?? undefined,
    block: block ?? false,
    reason: reason ?? '',
  };
}

/** @returns the scope, or every problem in one line. */
export function readScope(value: unknown): Scope | Invalid {
  const parsed = scope.safeParse(value);
  return parsed.success ? parsed.data : problems(parsed.error);
}

const leakedKey = z.object({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .toLowerCase(),
  resource: name.nullish(),
  reason: z.string().max(10_000).nullish(),
});
export interface LeakedKey {
  /** Of the key's text. The key itself never travels. */
  readonly sha256: string;
  readonly resource: string | undefined;
  readonly reason: string;
}

/** @returns the leaked key, or every problem in one line. */
export function readLeakedKey(value: unknown): LeakedKey | Invalid {
  const parsed = leakedKey.safeParse(respell(value, ['sha256', 'resource', 'reason']));
  if (!parsed.success) return problems(parsed.error);
  const { sha256, resource, reason } = parsed.data;
  return {
    sha256,
    resource: resource ?? undefined,
    reason: reason ?? '',
  };
}

/** A revocation of what does not exist would answer "done" and do nothing: the sender must hear of it. */
function unknownName(scope: Scope, policy: Policy): string | undefined {
  if (scope.kind === 'resource' && !policy.resources.some(({ name }) => name === scope.name))
    return 'scope.name: no such resource in the policy';
  if (scope.kind === 'grant' && !policy.grants.some(({ name }) => name === scope.name))
    return 'scope.name: no such grant in the policy';
  if ('tenantId' in scope && !policy.tenants.some(({ id }) => id === scope.tenantId))
    return 'scope.tenantId: no such tenant in the policy';
  return undefined;
}

function problems(error: z.ZodError): Invalid {
  const each = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return invalid(each.slice(0, 10).join('; ').slice(0, 1_000));
}
