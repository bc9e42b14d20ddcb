/**
 * Reads a request for a revocation, from the broker's own event or from an operator. A required member that is missing
 * or has the wrong type is a problem. In an event, unknown members and the case of names are ignored, so that events
 * of a newer sender can be read. In an operator's request an unknown member is refused, because it may be a mistake:
 * with `notbefore` for `notBefore` it would revoke more than was meant.
 */
import * as z from 'zod';
import { IDENTIFIER } from '../../facts/entra.ts';
import { guid } from '../../guid.ts';
import { type Invalid, invalid } from '../../invalid.ts';
import type { Policy } from '../../policy/schema.ts';
import type { Scope } from '../../ports.ts';
import { withoutSecrets } from '../../secret.ts';
import { type Members, readMembers, respell } from './envelope.ts';

const identifier = z.string().regex(IDENTIFIER, 'must be as Entra writes it');
const name = z
  .string()
  .max(63)
  .regex(/^[a-z0-9-]+$/, 'must be a name of the policy');

/** The shape of a scope. The OpenAPI document describes it too. */
export const scopeShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tenant'), tenantId: guid }),
  z.strictObject({ kind: z.literal('user'), tenantId: guid, objectId: guid }),
  z.strictObject({ kind: z.literal('subject'), tenantId: guid, subject: identifier }),
  z.strictObject({ kind: z.literal('client'), tenantId: guid, clientId: guid }),
  z.strictObject({ kind: z.literal('token'), tenantId: guid, uti: identifier }),
  z.strictObject({ kind: z.literal('resource'), name }),
  z.strictObject({ kind: z.literal('grant'), name }),
]);

/** A time as in RFC 3339, with any offset, parsed to milliseconds. */
const instant = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 date and time' })
  .transform((text) => Date.parse(text));

const orderSchema = z.strictObject({
  scope: scopeShape,
  notBefore: instant.nullish(),
  block: z.boolean().nullish(),
});
const requestSchema = z.strictObject({
  ...orderSchema.shape,
  reason: z.string().max(10_000).nullish(),
});

/** What is to be revoked. */
export interface RevocationOrder {
  readonly scope: Scope;
  /** Tokens issued before this time are refused; undefined means now. */
  readonly notBeforeMs: number | undefined;
  readonly block: boolean;
}
export interface RevocationRequest extends RevocationOrder {
  readonly reason: string;
}

/** Reads an event's data. @returns the request, or every problem in one line */
export function readRequest(data: Members, policy: Policy): RevocationRequest | Invalid {
  const { reason, ...order } = Object(respell(data, Object.keys(requestSchema.shape)));
  const parsed = requestSchema.shape.reason.safeParse(reason);
  if (!parsed.success) return invalid(`reason: ${parsed.error.issues[0]?.message}`);
  const read = readOrder({ ...order, scope: respelledScope(data.get('scope')) }, policy);
  return 'kind' in read ? read : { ...read, reason: parsed.data ?? '' };
}

function respelledScope(scope: unknown): unknown {
  const kind = readMembers(scope)?.get('kind');
  const known = scopeShape.options.find(({ shape }) => shape.kind.value === kind);
  return respell(scope, Object.keys(known?.shape ?? { kind }));
}

/** Reads what an operator wants revoked. @returns the order, or every problem in one line */
export function readOrder(value: unknown, policy: Policy): RevocationOrder | Invalid {
  const parsed = orderSchema.safeParse(value);
  if (!parsed.success) return problems(parsed.error);
  const { scope, notBefore, block } = parsed.data;
  const unknown = unknownName(scope, policy);
  if (unknown !== undefined) return invalid(unknown);
  return {
    scope,
    notBeforeMs: notBefore ?? undefined,
    block: block ?? false,
  };
}

const liftSchema = z.strictObject({ scope: scopeShape });

/** Reads what an operator wants lifted. @returns the scope, or every problem in one line */
export function readLift(value: unknown): { readonly scope: Scope } | Invalid {
  const parsed = liftSchema.safeParse(value);
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
  /** The SHA-256 of the key's text, because the key itself must never be sent. */
  readonly sha256: string;
  readonly resource: string | undefined;
  readonly reason: string;
}

/** @returns the leaked key, or every problem in one line */
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
 * A revocation of something that does not exist would succeed and do nothing, so the sender is told. The problem
 * repeats the name, so that a typing mistake is seen and the record of an event says which name has left the policy.
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
    // Zod's own message repeats the members' names, which may hold a secret.
    const problem = code === 'unrecognized_keys' ? 'has members that do not belong there' : message;
    return path.length === 0 ? problem : `${path.join('.')}: ${problem}`;
  });
  return invalid(each.slice(0, 10).join('; ').slice(0, 1_000));
}
