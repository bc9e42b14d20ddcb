/**
 * An operation: one act of an operator, from the request to its end, as somebody can follow it. What the issuer app
 * writes of it is only ever added: the beginning is one row and the end another, so that nobody who gets into the app
 * can rewrite what was done (invariant 11).
 */
import * as z from 'zod';
import { type Invalid, invalid } from '../invalid.ts';
import { withoutSecrets } from '../secret.ts';

export const ACTS = ['rotate', 'pause', 'resume', 'revoke', 'lift'] as const;
export type Act = (typeof ACTS)[number];

const instant = z.iso.datetime();
const problem = z.strictObject({ code: z.string(), advice: z.string() });
const result = z.record(z.string(), z.unknown());

export const begunShape = z.strictObject({
  /** A UUID of version 7: later operations have a higher id. */
  id: z.guid(),
  act: z.enum(ACTS),
  /** The account's name in the policy, or the key of the scope. */
  target: z.string(),
  /** The object id of whoever asked for it. */
  by: z.string(),
  reason: z.string(),
  at: instant,
});
/** Written when the act is done: of one that failed there is none. */
export const endedShape = z.strictObject({ at: instant, result });
export type Begun = z.infer<typeof begunShape>;
export type Ended = z.infer<typeof endedShape>;

/** As people see it. */
export const operationShape = z.strictObject({
  ...begunShape.shape,
  /** `superseded`: an emergency took the rotation over. */
  state: z.enum(['running', 'succeeded', 'failed', 'superseded']),
  steps: z.array(z.strictObject({ at: instant, what: z.string() })),
  result: result.optional(),
  problem: problem.optional(),
});
export type Operation = z.infer<typeof operationShape>;

export interface Kept {
  readonly begun: Begun;
  /** Absent: it has not ended, or its instance died before it could say so. */
  readonly ended: Ended | undefined;
}

/** Everything here may be repeated, and what was written first stays. Each method may throw UpstreamFailure. */
export interface OperationBook {
  /** @returns the claim that the key has now: this one, or an earlier one */
  claim(key: string, claim: Claim): Promise<Claim>;
  begin(begun: Begun): Promise<void>;
  end(id: string, ended: Ended): Promise<void>;
  find(id: string): Promise<Kept | undefined>;
  /** The newest first, and only those before the operation `after`. */
  list(after: string | undefined, most: number): Promise<readonly Kept[]>;
}
/** What an Idempotency-Key stands for. */
export interface Claim {
  readonly id: string;
  readonly at: string;
  /** SHA-256 of the request. */
  readonly request: string;
}

/** An act is done within seconds. One without an end after this time has lost its instance. */
const INTERRUPTED_MS = 60_000;

/** @param kept of an act that is done when its request is answered, which all but a rotation are */
export function asSeen({ begun, ended }: Kept, nowMs: number): Operation {
  const steps = [{ at: begun.at, what: 'asked for' }];
  if (ended !== undefined)
    return {
      ...begun,
      state: 'succeeded',
      steps: [...steps, { at: ended.at, what: 'done' }],
      result: ended.result,
    };
  if (nowMs - Date.parse(begun.at) < INTERRUPTED_MS) return { ...begun, state: 'running', steps };
  const advice =
    'The broker was interrupted, so the act may have taken effect or not. Ask for it again: with the same Idempotency-Key it is carried out once.';
  return { ...begun, state: 'failed', steps, problem: { code: 'interrupted', advice } };
}

const MAX_REASON_CHARACTERS = 256;
/** Control characters, line and paragraph separators, and what turns the direction of writing. */
const NOT_TEXT = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u;

/** Reads the reason of an act. It is stored as it is, but for what looks like a secret. */
export function readReason(value: unknown): string | Invalid {
  if (typeof value !== 'string' || value.trim() === '')
    return invalid('reason: say why, in 1 to 256 characters');
  if (value.length > MAX_REASON_CHARACTERS) return invalid('reason: at most 256 characters');
  if (NOT_TEXT.test(value)) return invalid('reason: one line of text, without control characters');
  return withoutSecrets(value.trim());
}
