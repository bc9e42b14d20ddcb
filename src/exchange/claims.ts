/**
 * What the audit keeps of a caller's claims, so that a decision can be explained and tried again under another policy.
 * Bounded: values that a rule of the policy names come first, and of further groups, of which a token may have 200, only
 * the beginnings are kept. Entra makes group ids at random, so four digits tell nearly always which group was meant.
 */
import type { CompiledPolicy } from '../policy/match.ts';
import type { AuditRecord, Caller, RecordedClaims } from '../ports.ts';
import { Secret, withoutSecrets } from '../secret.ts';

const MAX_VALUES = 4;
const MAX_GROUPS = 8;
const MAX_VALUE_CHARACTERS = 64;
const MAX_OTHER_GROUPS = 64;
const DIGITS = 4;

export function recordedClaims({ names }: Pick<CompiledPolicy, 'names'>, caller: Caller): RecordedClaims {
  const appRoles = few(caller.appRoles, names.appRole);
  const scopes = few(caller.scopes, names.scope);
  const groups = caller.groups.filter((id) => names.group.has(id)).slice(0, MAX_GROUPS);
  const others = caller.groups.filter((id) => !groups.includes(id));
  const left =
    caller.appRoles.length -
    appRoles.length +
    caller.scopes.length -
    scopes.length +
    Math.max(0, others.length - MAX_OTHER_GROUPS);
  return {
    kind: caller.kind,
    issuedAt: caller.issuedAtSeconds,
    ...(appRoles.length > 0 && { appRoles }),
    ...(scopes.length > 0 && { scopes }),
    ...(groups.length > 0 && { groups }),
    ...(others.length > 0 && {
      otherGroups: others
        .slice(0, MAX_OTHER_GROUPS)
        .map((id) => id.slice(0, DIGITS))
        .join(''),
    }),
    ...(left > 0 && { left }),
    ...(caller.groupOverage && { groupOverage: true }),
    ...(caller.agent !== undefined && { agent: caller.agent }),
  };
}

function few(values: readonly string[], named: ReadonlySet<string>): readonly string[] {
  if (values.length === 0) return values;
  return [...values.filter((value) => named.has(value)), ...values.filter((value) => !named.has(value))]
    .slice(0, MAX_VALUES)
    .filter((value) => value.length <= MAX_VALUE_CHARACTERS && withoutSecrets(value) === value);
}

/**
 * The caller of a record, as the rules of this policy would see it. A group of the policy counts as held where its
 * beginning is recorded.
 * @returns undefined for a record without a verified caller, or of a time when claims were not recorded
 */
export function recordedCaller(
  { names }: Pick<CompiledPolicy, 'names'>,
  { tenantId, objectId, clientId, uti = '', claims }: AuditRecord,
): Caller | undefined {
  if (tenantId === undefined || objectId === undefined || clientId === undefined || claims === undefined)
    return undefined;
  const { kind, issuedAt, appRoles = [], scopes = [], groups = [], otherGroups = '' } = claims;
  const beginnings = new Set(otherGroups.match(/.{4}/g));
  const more = [...names.group].filter((id) => !groups.includes(id) && beginnings.has(id.slice(0, DIGITS)));
  return {
    kind,
    tenantId,
    objectId,
    clientId,
    uti,
    issuedAtSeconds: issuedAt,
    expiresAtSeconds: issuedAt + 3_600,
    appRoles,
    scopes,
    groups: [...groups, ...more],
    ...(claims.groupOverage && { groupOverage: true }),
    ...(claims.agent !== undefined && { agent: claims.agent }),
    // No decision reads the token's text, and the audit has none.
    token: new Secret(''),
  };
}
