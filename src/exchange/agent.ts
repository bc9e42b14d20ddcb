/**
 * Whether an Entra agent identity asks, of which blueprint, and for whom. By the facets of actor and subject, never by a
 * name: an agent's user account has a name like a person's, and is none.
 * https://learn.microsoft.com/entra/agent-id/agent-token-claims
 */
import { AGENT_FACET, AGENT_USER_FACET } from '../facts/entra.ts';
import type { Agent, Caller } from '../ports.ts';

export interface AgentClaims {
  readonly kind: Caller['kind'];
  /** `xms_par_app_azp`: its presence marks an agent. */
  readonly blueprintId: string | undefined;
  /** `xms_act_fct`, `xms_sub_fct`: numbers as texts, in no fixed order, with others beside those that count here. */
  readonly actorFacets: readonly string[] | undefined;
  readonly subjectFacets: readonly string[] | undefined;
}

/**
 * @returns undefined for anybody but an agent; `claims` where the claims contradict each other, or name an agent without
 * its blueprint, whom a revocation of the blueprint could not reach
 */
export function agentOf(claims: AgentClaims): Agent | 'claims' | undefined {
  const { kind, blueprintId, actorFacets, subjectFacets } = claims;
  const actsAsAgent = actorFacets?.includes(AGENT_FACET);
  const isAgent = subjectFacets?.includes(AGENT_FACET) === true;
  const isAgentsAccount = subjectFacets?.includes(AGENT_USER_FACET) === true;
  if (blueprintId === undefined)
    return actsAsAgent === true || isAgent || isAgentsAccount ? 'claims' : undefined;
  if (actsAsAgent === false || (isAgent && isAgentsAccount)) return 'claims';
  if (kind === 'application')
    return isAgentsAccount || (subjectFacets !== undefined && !isAgent)
      ? 'claims'
      : { blueprintId, actsFor: 'itself' };
  if (isAgent) return 'claims';
  if (isAgentsAccount) return { blueprintId, actsFor: 'own_account' };
  return { blueprintId, actsFor: subjectFacets === undefined ? 'unstated' : 'person' };
}
