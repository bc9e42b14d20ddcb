/**
 * A revocation asked for in so many words: by the broker's own event or by an operator. What is missing or mistyped is
 * a problem, never a default. Of an event unknown members are ignored and the case of names too, so that a newer
 * sender is understood. An operator's are refused, as the policy's are: who writes `notbefore` would revoke more than
 * was meant, and is there to correct it.
 */
import * as z from 'zod';
import { IDENTIFIER } from '../../facts/entra.ts';
import { type Invalid, invalid } from '../../invalid.ts';
import type { Policy } from '../../policy/schema.ts';
import type { Scope } from '../../ports.ts';
import { withoutSecrets } from '../../secret.ts';
import { type Members, readMembers, respell } from './envelope.ts';

const guid = z
  .string()
  .regex(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, 'must be a GUID')
  .toLowerCase();
const identifier = z.string().regex(IDENTIFIER, 'must be as Entra writes it');
const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9-]+$/, 'must be a name of the policy');

/** What a scope looks like, for whoever describes it. */
export const scopeShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tenant'), tenantId: guid }),
  z.strictObject({ kind: z.literal('user'), tenantId: guid, objectId: guid }),
  z.strictObject({ kind: z.literal('subject'), tenantId: guid, subject: identifier }),
  z.strictObject({ kind: z.literal('client'), tenantId: guid, clientId: guid }),
  z.strictObject({ kind: z.literal('token'), tenantId: guid, uti: identifier }),
  z.strictObject({ kind: z.literal('resource'), name }),
  z.strictObject({ kind: z.literal('grant'), name }),
]);

/** RFC 3339, with any offset. */
const instant = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 date and time' })
  .transform((text) => Date.parse(text));

const requestSchema = z.strictObject({
  scope: scopeShape,
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

/** An event's. @returns the request, or every problem in one line. */
export function readRequest(data: Members, policy: Policy): RevocationRequest | Invalid {
  const request = Object(respell(data, Object.keys(requestSchema.shape)));
  return readOrder({ ...request, scope: respelledScope(data.get('scope')) }, policy);
}

function respelledScope(scope: unknown): unknown {
  const kind = readMembers(scope)?.get('kind');
  const known = scopeShape.options.find(({ shape }) => shape.kind.value === kind);
  return respell(scope, Object.keys(known?.shape ?? { kind }));
}

/** An operator's. @returns the request, or every problem in one line. */
export function readOrder(value: unknown, policy: Policy): RevocationRequest | Invalid {
  const parsed = requestSchema.safeParse(value);
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

/** An operator's. @returns the scope, or every problem in one line. */
export function readScope(value: unknown): Scope | Invalid {
  const parsed = scopeShape.safeParse(value);
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

/**
 * A revocation of what does not exist would answer "done" and do nothing: the sender must hear of it. The name is
 * repeated, so that a mistyped one is seen, and so that an event about what has left the policy is kept with it.
 */
export function unknownName(scope: Scope, policy: Policy): string | undefined {
  if (scope.kind === 'resource' && !policy.resources.some(({ name }) => name === scope.name))
    return `scope.name: no resource ${withoutSecrets(scope.name)} in the policy`;
  if (scope.kind === 'grant' && !policy.grants.some(({ name }) => name === scope.name))
    return `scope.name: no grant ${withoutSecrets(scope.name)} in the policy`;
  if ('tenantId' in scope && !policy.tenants.some(({ id }) => id === scope.tenantId))
    return 'scope.tenantId: no such tenant in the policy';
  return undefined;
}

function problems(error: z.ZodError): Invalid {
  const each = error.issues.map(({ code, path, message }) => {
    // Zod would repeat their names, which may be anything.
    const problem = code === 'unrecognized_keys' ? 'has members that do not belong there' : message;
    return path.length === 0 ? problem : `${path.join('.')}: ${problem}`;
  });
  return invalid(each.slice(0, 10).join('; ').slice(0, 1_000));
}
