/** The plan of one resource as the rotator app last computed it. The issuer app shows it to operators. */
import * as z from 'zod';
import { PROBLEM_CODES } from './problem.ts';
import type { HistoryEntry } from './state.ts';

const keyBornAt = z.string().or(z.literal('unknown'));

/** Times are in RFC 3339. */
export const planRowSchema = z.object({
  /** The account's key in the tables (account-key.ts). */
  account: z.string(),
  resource: z.string(),
  /** When it was computed. */
  asOf: z.string(),
  state: z.string(),
  /** What the next tick does, or what it waits for. */
  next: z.string(),
  /** When that is; absent: with the next tick. */
  at: z.string().optional(),
  /** Why the rotation does not go on. */
  blocked: z.string().optional(),
  /** The kind of that problem: the runbook (infra/README.md) has a heading for each. */
  code: z.enum(PROBLEM_CODES).optional(),
  /** What a person should do. */
  todo: z.string().optional(),
  /** Absent where no rotation was seen, or the row cannot be read. */
  rotatedAt: z.string().optional(),
  /** When each slot's key was made; absent where the row cannot be read. */
  keysBornAt: z.object({ Key1: keyBornAt, Key2: keyBornAt }).optional(),
  dueAt: z.string().optional(),
  /** The rotation should be over by then; absent where none is due. */
  overdueAt: z.string().optional(),
  /** A key may be older than its period, because the rotation did not see it being made. */
  hasKeyOfUnknownAge: z.boolean(),
});
export type PlanRow = z.infer<typeof planRowSchema>;

/** What the rotator app does with the plan rows. */
export interface PlanWriter {
  /** @throws UpstreamFailure */
  write(rows: readonly PlanRow[]): Promise<void>;
}

/** What the issuer app reads of the rotation. Every method may throw UpstreamFailure. */
export interface PlanReader {
  all(): Promise<readonly PlanRow[]>;
  /** At most `most` entries, the newest first. */
  history(account: string, most: number): Promise<readonly HistoryEntry[]>;
}
