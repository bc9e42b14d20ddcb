/** Who may use the broker's own endpoints: a verified caller whose own access is not revoked. */
import type { Denial } from '../denial.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller, Snapshot } from '../ports.ts';
import { refusal } from './decision.ts';
import { callerScopes, scopeKey } from './scope.ts';

export interface AdmitDeps {
  readonly verify: (token: string) => Promise<Caller | Denial>;
  /** Only the administrators of this tenant decide who is an operator. */
  readonly homeTenantId: string;
  /** The shared state, from a head read that begins after this call. */
  readonly snapshot: () => Promise<Snapshot>;
  /** The one in force, as the latest look at the shared state found it. */
  readonly policy: () => Policy;
}
export type Admit = (token: string, as: 'caller' | 'operator') => Promise<Caller | Denial>;

export const OPERATOR = 'Broker.Operator';
export const AUDITOR = 'Broker.Auditor';
/** Puts a policy in force. Meant for a pipeline's identity: people change the policy in its repository. */
export const PUBLISHER = 'Broker.Publisher';
export type Role = typeof OPERATOR | typeof AUDITOR | typeof PUBLISHER;
/** The delegated scope that a person's token needs beside the role: with it a person lets a client operate for them. */
export const OPERATOR_SCOPE = 'Broker.Operate';

/**
 * Operators are not refused by a revocation of their whole tenant, because then nobody could lift it. They are
 * refused by a revocation of their user, client or token.
 * @throws UpstreamFailure
 */
export function createAdmit({ verify, homeTenantId, snapshot, policy }: AdmitDeps): Admit {
  return async (token, as) => {
    const caller = await verify(token);
    if (!('objectId' in caller)) return caller;
    const { revocations } = await snapshot();
    // A caller who was verified before is cached, and its tenant may have left the policy since.
    if (!policy().tenants.some(({ id }) => id === caller.tenantId))
      return { kind: 'caller_unverified', fault: 'tenant', hint: 'unexplained' };
    const scopes = callerScopes(caller).filter(({ kind }) => as === 'caller' || kind !== 'tenant');
    const refused = refusal(revocations, scopes, caller.issuedAtSeconds);
    if (refused !== undefined) {
      const { scope, acceptedFromSeconds } = refused;
      return { kind: 'revoked', scope: scopeKey(scope), of: 'caller', acceptedFromSeconds };
    }
    // The administrators of any tenant can assign the app roles of a multi-tenant application to their own people.
    const isOurs = caller.tenantId === homeTenantId;
    // Every token of a person holds the person's roles, also one that a client got for some other purpose.
    const isMeant = caller.kind === 'application' || caller.scopes.includes(OPERATOR_SCOPE);
    return isOurs && isMeant ? caller : withoutOperatorRoles(caller);
  };
}

function withoutOperatorRoles(caller: Caller): Caller {
  const appRoles = caller.appRoles.filter((role) => !(role in HOLDERS));
  return { ...caller, appRoles };
}

/** An operator may do everything that an auditor may do. Neither may publish, and of people nobody. */
const HOLDERS: Readonly<Record<Role, (caller: Caller) => boolean>> = {
  [OPERATOR]: ({ appRoles }) => appRoles.includes(OPERATOR),
  [AUDITOR]: ({ appRoles }) => appRoles.includes(AUDITOR) || appRoles.includes(OPERATOR),
  [PUBLISHER]: ({ appRoles, kind }) => kind === 'application' && appRoles.includes(PUBLISHER),
};
export const hasRole = (caller: Caller, role: Role): boolean => HOLDERS[role](caller);
