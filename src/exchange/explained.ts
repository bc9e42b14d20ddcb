/** An explanation, as it is answered. */
import type { Checked } from '../policy/match.ts';
import type { Revocation } from '../ports.ts';
import type { TokenKind } from '../token-kind.ts';

export interface Explained {
  readonly outcome: 'granted' | 'refused';
  /** As the audit says it; absent where it is granted. */
  readonly reason?: string;
  readonly advice: string;
  /** The grant and the kind that it is granted under. */
  readonly grant?: string;
  readonly tokenKind?: TokenKind;
  readonly grants: readonly ExplainedGrant[];
  readonly revocations: readonly ExplainedRevocation[];
  /** What holds beside the conditions under each grant that applies. */
  readonly limits: readonly ExplainedLimit[];
}
export interface ExplainedGrant {
  readonly name: string;
  readonly applies: boolean;
  readonly conditions: readonly ExplainedCondition[];
}
export interface ExplainedCondition {
  readonly condition: Checked['condition'] | 'tokenKind';
  readonly wanted: string | readonly string[];
  readonly had: string | readonly string[];
  readonly met: boolean;
  /** The index in the grant's `callers`: one rule of them is enough. Absent where it holds for the whole grant. */
  readonly rule?: number;
}
export interface ExplainedRevocation {
  readonly grant: string;
  readonly scope: Revocation['scope'];
  readonly cutOff: string;
  readonly blocked: boolean;
}
export interface ExplainedLimit {
  readonly grant: string;
  readonly count: number;
  readonly perSeconds: number;
  readonly maxLifetimeSeconds: number;
}
