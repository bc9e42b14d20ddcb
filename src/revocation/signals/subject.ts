/**
 * Finds the scopes that a security event is about, from RFC 9493 subject identifiers and SSF 1.0 complex subjects.
 * In Entra a user has another `sub` for every application. So a transmitter names users by object id, by e-mail
 * address, or by the `sub` of the tokens for this broker.
 */

import { IDENTIFIER } from '../../facts/entra.ts';
import { asGuid } from '../../guid.ts';
import type { Transmitter } from '../../policy/schema.ts';
import type { Scope } from '../../ports.ts';
import type { SetError } from './set.ts';

export interface SubjectContext {
  readonly transmitter: Transmitter;
  /** The ids of the tenants whose callers this transmitter may send events about. */
  readonly tenantIds: readonly string[];
  /** The beginnings of Entra's issuer URLs: `<base>/<tenant>/…`. */
  readonly entraIssuers: readonly string[];
  /** @throws UpstreamFailure */
  readonly userByEmail: (email: string) => Promise<Scope | undefined>;
}

/** An empty list: the subject is well-formed, but no caller of the broker. */
export type Resolved = readonly Scope[] | SetError;

/** The members of each subject format (RFC 9493 section 3.2 and SSF 1.0). All are strings. */
const FORMATS: ReadonlyMap<string, readonly string[]> = new Map([
  ['account', ['uri']],
  ['did', ['url']],
  ['email', ['email']],
  ['iss_sub', ['iss', 'sub']],
  ['jwt_id', ['iss', 'jti']],
  ['opaque', ['id']],
  ['phone_number', ['phone_number']],
  ['saml_assertion_id', ['issuer', 'assertion_id']],
  ['uri', ['uri']],
]);
const COMPLEX_MEMBERS = ['user', 'device', 'session', 'application', 'tenant', 'org_unit', 'group'];
/** The members of a complex subject that the broker uses. It does not know devices, sessions, units and groups. */
const UNDERSTOOD_MEMBERS = new Set(['user', 'application', 'tenant']);

const NOT_NARROWER = new Set([...COMPLEX_MEMBERS, 'format', 'subject_type']);

const invalid = (description: string): SetError => ({ err: 'invalid_request', description });
const isError = (value: object): value is SetError => 'err' in value;

export async function resolveSubject(subject: unknown, context: SubjectContext): Promise<Resolved> {
  const resolved = await resolve(subject, context, true);
  if (isError(resolved)) return resolved;
  const foreign = resolved.some(
    (scope) => 'tenantId' in scope && !context.tenantIds.includes(scope.tenantId),
  );
  return foreign ? { err: 'access_denied', description: 'not a tenant of this transmitter' } : resolved;
}

async function resolve(subject: unknown, context: SubjectContext, nests: boolean): Promise<Resolved> {
  if (!isObject(subject)) return invalid('sub_id must be an object');
  const format = formatOf(subject, context.transmitter);
  if (format === 'aliases' && nests) return aliases(subject, context);
  if (format === 'complex' && nests) return complex(subject, context);
  if (format === 'aliases' || format === 'complex') return invalid(`${format} must not be nested`);
  const members = format === undefined ? undefined : FORMATS.get(format);
  if (format === undefined) return invalid('sub_id has no format');
  // A format of a later specification is not known here, which is not an error of the sender.
  if (members === undefined) return [];
  const texts = members.map((name) => subject[name]);
  if (!texts.every((text) => typeof text === 'string' && text !== ''))
    return invalid(`a subject of format ${format} needs ${members.join(' and ')}`);
  const extra = Object.keys(subject).filter((name) => name !== 'format' && !members.includes(name));
  if (context.transmitter.profile === 'strict' && extra.length > 0)
    return invalid(`a subject of format ${format} has no other members than ${members.join(' and ')}`);
  return simple(format, texts as string[], context);
}

async function simple(format: string, texts: readonly string[], context: SubjectContext): Promise<Resolved> {
  const [first = '', second = ''] = texts;
  const [onlyTenant] = context.tenantIds;
  switch (format) {
    case 'iss_sub': {
      const tenantId = tenantOf(first, context);
      if (tenantId === undefined || !IDENTIFIER.test(second)) return [];
      const objectId = asGuid(second);
      return objectId === undefined
        ? [{ kind: 'subject', tenantId, subject: second }]
        : [{ kind: 'user', tenantId, objectId }];
    }
    case 'jwt_id': {
      const tenantId = tenantOf(first, context);
      if (tenantId === undefined || !IDENTIFIER.test(second)) return [];
      return [{ kind: 'token', tenantId, uti: second }];
    }
    case 'opaque': {
      // By agreement with the transmitter this is an object id. It names no tenant, so there must be only one.
      const objectId = asGuid(first);
      return objectId !== undefined && onlyTenant !== undefined && context.tenantIds.length === 1
        ? [{ kind: 'user', tenantId: onlyTenant, objectId }]
        : [];
    }
    case 'email': {
      const user = await context.userByEmail(first);
      return user === undefined ? [] : [user];
    }
    default:
      return [];
  }
}

/** RFC 9493 section 3.2.8: several identifiers of one subject. Those that name no caller are skipped. */
async function aliases(subject: Record<string, unknown>, context: SubjectContext): Promise<Resolved> {
  const { identifiers } = subject;
  if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > 20)
    return invalid('aliases needs identifiers');
  const scopes: Scope[] = [];
  for (const identifier of identifiers) {
    const resolved = await resolve(identifier, context, false);
    if (isError(resolved)) return resolved;
    scopes.push(...resolved);
  }
  return scopes;
}

/**
 * SSF 1.0 "Complex Subjects": all members together describe one principal. The narrowest member that the broker knows
 * is revoked: a user, else an application, else a tenant. Example: with a user and a tenant, only the user of that
 * tenant is revoked. The broker knows no sessions and devices: one beside a user revokes the user, one alone revokes
 * nothing, and so does a member that no specification has, for it may name one of the tenant's users. If the transmitter declares a member critical and the broker does not know it, the event is ignored.
 */
async function complex(subject: Record<string, unknown>, context: SubjectContext): Promise<Resolved> {
  const named = COMPLEX_MEMBERS.filter((name) => subject[name] !== undefined);
  if (named.length === 0) return invalid('a complex subject needs a member');
  const critical = context.transmitter.criticalSubjectMembers;
  if (Object.keys(subject).some((name) => critical.includes(name) && !UNDERSTOOD_MEMBERS.has(name)))
    return [];
  for (const name of named) {
    const member = subject[name];
    if (!isObject(member)) return invalid(`${name} must be an object`);
  }
  const isNarrower = Object.keys(subject).some((name) => !NOT_NARROWER.has(name));
  if (isNarrower && subject['user'] === undefined) return [];
  const tenantId = opaqueGuid(subject['tenant']);
  if (subject['tenant'] !== undefined && tenantId === undefined) return [];
  if (subject['user'] !== undefined) {
    const users = await resolve(subject['user'], context, false);
    if (isError(users) || tenantId === undefined) return users;
    return users.filter((scope) => 'tenantId' in scope && scope.tenantId === tenantId);
  }
  if (subject['application'] !== undefined) {
    const clientId = opaqueGuid(subject['application']);
    const home = tenantId ?? (context.tenantIds.length === 1 ? context.tenantIds[0] : undefined);
    return clientId && home ? [{ kind: 'client', tenantId: home, clientId }] : [];
  }
  return named.length === 1 && tenantId !== undefined ? [{ kind: 'tenant', tenantId }] : [];
}

function opaqueGuid(value: unknown): string | undefined {
  if (!isObject(value) || value['format'] !== 'opaque' || typeof value['id'] !== 'string') return undefined;
  return asGuid(value['id']);
}

/** The tenant in `https://login.microsoftonline.com/<tenant>/v2.0` or `https://sts.windows.net/<tenant>/`. */
function tenantOf(issuer: string, { entraIssuers }: SubjectContext): string | undefined {
  const base = entraIssuers.find((known) => issuer.startsWith(`${known}/`));
  const tenantId = base && issuer.slice(base.length + 1).split('/')[0];
  return tenantId ? asGuid(tenantId) : undefined;
}

/** Older transmitters send `subject_type`, and hyphens in place of underscores. */
function formatOf(subject: Record<string, unknown>, { profile }: Transmitter): string | undefined {
  const format = subject['format'] ?? (profile === 'lenient' ? subject['subject_type'] : undefined);
  if (typeof format !== 'string') return undefined;
  return profile === 'lenient' ? format.replaceAll('-', '_') : format;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
