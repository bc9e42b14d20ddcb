/** The plan of one resource as the rotator app last computed it. The issuer app shows it to operators. */
import * as z from 'zod';
import { PROBLEM_CODES } from './problem.ts';
import type { HistoryEntry } from './state.ts';

const slotPlan = z.object({
  slot: z.enum(['Key1', 'Key2']),
  /** `active`: the vault's current version holds its key. `unknown`: the account is not adopted yet. */
  state: z.enum(['active', 'spare', 'retiring', 'unknown']),
  /** Of its key as the last look saw it: the first 16 hexadecimal digits of the SHA-256. */
  fingerprint: z.string().optional(),
  /** When its key was made; absent where nobody saw that. */
  since: z.string().optional(),
  /** Until when a token that was bought with it may live, while it drains. */
  tokensUntil: z.string().optional(),
});
export type SlotPlan = z.infer<typeof slotPlan>;
export const PHASES = ['steady', 'promoting', 'draining', 'regenerating', 'proving', 'healing'] as const;
/** Why nothing goes on: a problem, or what a person did. */
export const BLOCKS = [...PROBLEM_CODES, 'busy', 'row_unreadable', 'kind_not_covered'] as const;

/** Times are in RFC 3339. */
export const planRowSchema = z.object({
  /** The account's key in the tables (account-key.ts). */
  account: z.string(),
  resource: z.string(),
  /** When it was computed. */
  asOf: z.string(),
  /** For people: `draining (Key1)`, `not adopted`. */
  state: z.string(),
  /** Absent where the row cannot be read, or the account is not adopted yet. */
  phase: z.enum(PHASES).optional(),
  active: z.enum(['Key1', 'Key2']).optional(),
  slots: z.array(slotPlan).optional(),
  /** So many tries in a row came to nothing that only rare ones are made. */
  stuck: z.boolean().optional(),
  /** What the next tick does, or what it waits for. */
  next: z.string(),
  /** When that is; absent: with the next tick. */
  at: z.string().optional(),
  /** Why the rotation does not go on. */
  blocked: z.string().optional(),
  /** The kind of that problem: the runbook (infra/README.md) has a heading for each. */
  code: z.enum(BLOCKS).optional(),
  /** What a person should do. */
  todo: z.string().optional(),
  /** Absent where no rotation was seen, or the row cannot be read. */
  rotatedAt: z.string().optional(),
  dueAt: z.string().optional(),
  /** The rotation should be over by then; absent where none is due. */
  overdueAt: z.string().optional(),
  /** A key may be older than its period, because the rotation did not see it being made. */
  hasKeyOfUnknownAge: z.boolean(),
});
export type PlanRow = z.infer<typeof planRowSchema>;

/** What the rotator app does with the plan rows. */
export interface PlanWriter {
  /** When each account that has a plan was looked at last. @throws UpstreamFailure */
  lookedAtMs(): Promise<ReadonlyMap<string, number>>;
  /** @throws UpstreamFailure */
  write(rows: readonly PlanRow[]): Promise<void>;
}

/** What the issuer app reads of the rotation. Every method may throw UpstreamFailure. */
export interface PlanReader {
  all(): Promise<readonly PlanRow[]>;
  /** At most `most` entries, the newest first, and only those before the entry `before`. */
  history(account: string, most: number, before?: number): Promise<readonly HistoryEntry[]>;
}
