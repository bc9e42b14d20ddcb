/** The smallest changes of the caller, or of what it asks for, that flip a refusal. Each is decided again before it is proposed. */
import { isPerson } from '../policy/person.ts';
import type { Caller } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import { judge } from './explain.ts';
import { type Decided, MAX_PROPOSED } from './policy-changes.ts';

/** A change of who asks, or of what is asked for: the members of the request that differ. */
export interface CallerChange {
  readonly what: string;
  readonly caller: Partial<Pick<Caller, 'appRoles' | 'scopes' | 'groups' | 'issuedAtSeconds'>>;
  readonly tokenKind?: TokenKind;
}

/** Of the caller, as far as an administrator or the app's owner can make them. */
export function callerChanges(decided: Decided): readonly CallerChange[] {
  const { version, revokedBy, caller, asked, revocations } = decided;
  const flips = ({ caller: bent, tokenKind = asked.tokenKind }: CallerChange): boolean =>
    'option' in
    judge(version.compiled, revokedBy, { ...caller, ...bent }, { ...asked, tokenKind }, revocations);
  return callerCandidates(decided).filter(flips).slice(0, MAX_PROPOSED);
}

function callerCandidates({
  version: { compiled },
  revokedBy,
  caller,
  asked,
  revocations,
}: Decided): CallerChange[] {
  const answer = judge(compiled, revokedBy, caller, asked, revocations);
  const resource = compiled.target(asked.target)?.resource;
  if ('option' in answer || resource === undefined) return [];
  if (answer.kind === 'revoked' && answer.acceptedFromSeconds !== undefined)
    return [{ what: 'get a new token', caller: { issuedAtSeconds: answer.acceptedFromSeconds } }];
  const found: CallerChange[] = [];
  for (const { grant, rules } of compiled.trace(caller, resource, asked.tokenKind))
    for (const rule of rules) {
      const given = {
        appRoles: [...caller.appRoles],
        scopes: [...caller.scopes],
        groups: [...caller.groups],
      };
      const what: string[] = [];
      for (const { condition, wanted, met } of rule) {
        // Who the caller is, nobody can give it.
        if (
          met ||
          condition === 'tenant' ||
          condition === 'clientId' ||
          condition === 'objectId' ||
          condition === 'blueprint'
        )
          continue;
        if (condition === 'appRole') given.appRoles.push(wanted);
        if (condition === 'scope') given.scopes.push(wanted);
        if (condition === 'group') given.groups.push(wanted);
        what.push(GIVE[condition](wanted));
      }
      // Entra's token of a caller to whom nothing was given is refused before any grant is looked at.
      if (caller.kind === 'application' && given.appRoles.length === 0) {
        given.appRoles.push('Token.Exchange');
        what.push(GIVE.appRole('Token.Exchange'));
      }
      if (caller.kind === 'user' && given.scopes.length === 0) {
        given.scopes.push('Token.Exchange');
        what.push(GIVE.scope('Token.Exchange'));
      }
      const kind = grant.tokenKinds.find(
        (one) => resource.tokenKinds.includes(one) && (ACTS_AS[one] !== 'caller' || isPerson(caller)),
      );
      const asks = kind === undefined ? [undefined] : [undefined, kind];
      for (const tokenKind of asks)
        found.push({
          what: [...what, ...(tokenKind === undefined ? [] : [`ask for ${tokenKind} tokens`])].join(', and '),
          caller: given,
          ...(tokenKind !== undefined && { tokenKind }),
        });
    }
  return found
    .filter(({ what }) => what !== '')
    .sort((one, other) => one.what.split(', and ').length - other.what.split(', and ').length)
    .filter(({ what }, index, all) => all.findIndex((one) => one.what === what) === index);
}

const GIVE = {
  appRole: (role: string) => `assign the app role ${role} to the caller`,
  scope: (scope: string) => `let the app ask for the scope ${scope}`,
  group: (group: string) => `make the caller a member of the group ${group}`,
} as const;
