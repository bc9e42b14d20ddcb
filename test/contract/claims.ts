import { ARM_CLAIMS } from './arm-claims.ts';
import { ENTRA_CLAIMS } from './entra-claims.ts';
import { STS_CLAIMS } from './sts-claims.ts';
import { TABLE_CLAIMS } from './table-claims.ts';
import { Broken, type Claim, type Target, Untestable } from './target.ts';
import { VAULT_CLAIMS } from './vault-claims.ts';

/** What the fact sheets say and the simulated Azure does. The one that waits for a throttle is the last. */
export const CLAIMS: readonly Claim[] = [
  ...ENTRA_CLAIMS,
  ...TABLE_CLAIMS,
  ...VAULT_CLAIMS,
  ...STS_CLAIMS,
  ...ARM_CLAIMS,
];

export interface Result {
  readonly id: string;
  readonly source: string;
  readonly says: string;
  readonly verdict: 'held' | 'broken' | 'not testable';
  /** What was seen or measured. */
  readonly saw?: string;
}

/** One after the other: some change keys that others use. */
export async function checkAll(
  target: Target,
  only?: string,
  each?: (result: Result) => void,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const { id, source, says, check } of CLAIMS) {
    if (only !== undefined && !id.startsWith(only)) continue;
    const result = { id, source, says, ...(await verdictOf(check, target)) };
    results.push(result);
    each?.(result);
  }
  return results;
}

async function verdictOf(check: Claim['check'], target: Target): Promise<Pick<Result, 'verdict' | 'saw'>> {
  try {
    const saw = await check(target);
    return { verdict: 'held', ...(saw !== undefined && { saw }) };
  } catch (error) {
    if (error instanceof Broken) return { verdict: 'broken', saw: error.message };
    if (error instanceof Untestable) return { verdict: 'not testable', saw: error.message };
    // Not answered at all: nothing is known of the claim. The message of a failed fetch has no body.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError'))
      return { verdict: 'not testable', saw: `no answer: ${error.message}` };
    throw error;
  }
}
