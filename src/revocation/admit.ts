/** Who may speak to the broker's own endpoints: a verified caller whose access has not itself been revoked. */
import type { Denial } from '../denial.ts';
import type { Caller, Snapshot } from '../ports.ts';
import { refusal } from './decision.ts';
import { callerScopes, scopeKey } from './scope.ts';

export interface AdmitDeps {
  readonly verify: (token: string) => Promise<Caller | Denial>;
  /** Its administrators alone say who is an operator. */
  readonly homeTenantId: string;
  /** From a head read that begins after the call. */
  readonly snapshot: () => Promise<Snapshot>;
}
export type Admit = (token: string, as: 'caller' | 'operator') => Promise<Caller | Denial>;

export const OPERATOR = 'Broker.Operator';
export const AUDITOR = 'Broker.Auditor';
/** The delegated scope beside the role: what a person lets a client do in their name. */
export const OPERATOR_SCOPE = 'Broker.Operate';

/**
 * A revocation of a whole tenant does not bind operators: with it in force, nobody could lift it. One of
 * their user, client or token does.
 * @throws UpstreamFailure
 */
export function createAdmit({ verify, homeTenantId, snapshot }: AdmitDeps): Admit {
  return async (token, as) => {
    const caller = await verify(token);
    if (!('objectId' in caller)) return caller;
    const { revocations } = await snapshot();
    const scopes = callerScopes(caller).filter(({ kind }) => as === 'caller' || kind !== 'tenant');
    const refused = refusal(revocations, scopes, caller.issuedAtSeconds);
    if (refused !== undefined) {
      const { scope, acceptedFromSeconds } = refused;
      return { kind: 'revoked', scope: scopeKey(scope), of: 'caller', acceptedFromSeconds };
    }
    // In each other tenant its own administrators hand out the app roles of a multi-tenant application.
    const isOurs = caller.tenantId === homeTenantId;
    // A person's roles are in every token of theirs, whichever client got it for whatever purpose.
    const isMeant = caller.kind === 'application' || caller.scopes.includes(OPERATOR_SCOPE);
    return isOurs && isMeant ? caller : withoutOperatorRoles(caller);
  };
}

function withoutOperatorRoles(caller: Caller): Caller {
  const appRoles = caller.appRoles.filter((role) => role !== OPERATOR && role !== AUDITOR);
  return { ...caller, appRoles };
}

/** Operators may all that auditors may. */
export function hasRole(caller: Caller, role: typeof OPERATOR | typeof AUDITOR): boolean {
  return caller.appRoles.includes(OPERATOR) || caller.appRoles.includes(role);
}
