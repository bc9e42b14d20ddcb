import type { Caller } from '../ports.ts';

/**
 * Whether the token is of a person who has signed in, so that Entra can be asked for a token on behalf of them. A user
 * account of an agent's own is no person, and an agent's token of a user counts as a person's only where Entra says so.
 */
export function isPerson({ kind, agent }: Pick<Caller, 'kind' | 'agent'>): boolean {
  return kind === 'user' && (agent === undefined || agent.actsFor === 'person');
}
