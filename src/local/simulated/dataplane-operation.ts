import type { Call, Outcome } from './service.ts';

/** One thing an AI account's data plane can do. */
export interface Operation {
  /** For the request log. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** As the documentation writes it, `{}` for one path segment that varies. */
  readonly route: string;
  readonly dataAction: string;
  answer(call: Call, nowMs: number): Outcome;
}
