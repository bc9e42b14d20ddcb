/** What a row of the table of attacks is. To add an attack, add a row in one of the files of rows. */
import type { Broker } from './broker.ts';
import type { Sending } from './send.ts';

/** Limits for all requests of a row together. */
export interface Allowed {
  /** Every answer has one of these statuses. */
  readonly statuses: readonly number[];
  /** Calls of Entra, the identity endpoint, Key Vault, ARM, an account or Graph, by either app. Initially none. */
  readonly upstreamCalls?: number;
  /** Queries and reads of the tables. Initially not limited. */
  readonly tableReads?: number;
  /** Rows written or changed, the audit's not counted. Initially none. */
  readonly writes?: number;
  /** Audit rows. Initially one for each request, and one for what is written later. */
  readonly auditRows?: number;
  /**
   * Processor time for each request, as a multiple of what a plain refusal (an unknown `grant_type`) costs in the
   * same run. Measured by the command only. Initially `MAX_COST`.
   */
  readonly cost?: number;
  /** The row may be granted what the caller has anyway, at the endpoint that the policy names. Initially not. */
  readonly granted?: boolean;
}

export interface Attack {
  /** What is tried, in words. */
  readonly what: string;
  readonly send: (broker: Broker) => Promise<readonly Sending[]> | readonly Sending[];
  readonly allowed: Allowed;
  /** Texts that no answer to it and no new log line may hold. */
  readonly never?: readonly string[];
  /** The records of operators' acts that it leaves in the audit, by their outcome: so many and no other. */
  readonly acts?: Readonly<Record<string, number>>;
  /** What it shows is not mended yet. */
  readonly pending?: true;
}

/** A refusal after the signature of a token was verified costs some three times as much as one before. */
export const MAX_COST = 6;
