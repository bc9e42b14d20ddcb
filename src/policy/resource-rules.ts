/** Whether the members of a resource fit one another. */
import { MANAGED_IDENTITY_LIFE_MS } from '../facts/entra.ts';
import { ACTS_AS } from '../token-kind.ts';
import type { Draft } from './draft.ts';
import { tooShort } from './lifetimes.ts';
import type { Resource } from './schema.ts';

/** @param place of the resource, such as `resources[0] (speech)` */
export function resourceProblems(place: string, resource: Draft<Resource>): string[] {
  const problems: string[] = [];
  const at = (member: keyof Resource): string => `${place}.${member}`;
  const isAbsent = (member: keyof Resource): boolean => !Object.hasOwn(resource, member);
  const { identity, maxLifetime } = resource;
  const kinds = (resource.tokenKinds ?? []).filter((kind) => kind !== undefined);
  const managed = identity?.kind !== undefined && identity.kind !== 'application';
  const example = `, for example "${resource.name ?? 'speech'}-key"`;
  const readsLife = isAbsent('maxLifetime') || maxLifetime !== undefined;
  if (
    managed &&
    readsLife &&
    kinds.some((kind) => ACTS_AS[kind] === 'identity') &&
    (maxLifetime ?? 0) < MANAGED_IDENTITY_LIFE_MS
  )
    problems.push(
      `${at('maxLifetime')}: a managed identity's tokens live up to 24h; write "24h" to accept that`,
    );
  else if (maxLifetime !== undefined)
    for (const kind of kinds) problems.push(...tooShort(at('maxLifetime'), maxLifetime, resource, kind));
  for (const kind of kinds)
    if (managed && ACTS_AS[kind] === 'caller')
      problems.push(
        `${at('tokenKinds')}: ${kind} tokens act for the calling user by the app registration, so they need "identity": {"kind": "application"}, the initial one`,
      );
  if (isAbsent('secret') && kinds.some((kind) => ACTS_AS[kind] === 'accountKey'))
    problems.push(
      `${at('secret')}: is missing: sts tokens are bought with the account key in this Key Vault secret${example}`,
    );
  else if (isAbsent('secret') && !isAbsent('rotation'))
    problems.push(`${at('secret')}: is missing: a rotated key is kept in this Key Vault secret${example}`);
  return problems;
}
