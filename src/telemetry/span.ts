/** What is written down of a piece of work until its trace is over. */

/** A value is a name of ours or of the policy, a number or a code: never a token, a key or a URL (invariant 8). */
export type Attributes = Record<string, string | number | boolean | undefined>;
export type Kind = 'internal' | 'client' | 'server' | 'consumer';

export interface Span {
  readonly trace: Trace;
  readonly parent: Span | undefined;
  readonly name: string;
  readonly kind: Kind;
  readonly attributes: Attributes;
  /** Readings of `performance.now()`. */
  readonly startMs: number;
  endMs: number;
  /** A code; undefined where it went well. */
  error: string | undefined;
  /** Made when it is first needed. */
  id: string | undefined;
}
export interface Trace {
  readonly id: string;
  /** Of the caller's span, where its request named one (W3C Trace Context). */
  readonly callerSpanId: string | undefined;
  /** Add it to a reading of `performance.now()` to have the time since 1970. */
  readonly epochMs: number;
  /** What has ended, until the trace is over. */
  readonly ended: Span[];
  begun: number;
  fate: 'open' | 'kept' | 'dropped';
}
export interface Root {
  readonly name: string;
  readonly kind: Kind;
  readonly traceId: string;
  readonly callerSpanId?: string | undefined;
  /** A trace that takes longer is kept; absent: every trace is. */
  readonly slowMs?: number;
}
export interface Recording {
  /** Of the traces that are neither slow nor failed: from 0, none, to 1, all. */
  readonly share: number;
  readonly emit: (span: Span) => void;
}

export function idOf(span: Span): string {
  span.id ??= Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
  return span.id;
}

export function begin(
  trace: Trace,
  parent: Span | undefined,
  name: string,
  attributes: Attributes,
  kind: Kind,
): Span {
  trace.begun += 1;
  const startMs = performance.now();
  return { trace, parent, name, kind, attributes, startMs, endMs: startMs, error: undefined, id: undefined };
}
