/** A version of the policy: its text as it was applied, under its SHA-256, and what the exchange decides by. */
import { sha256 } from '../secret.ts';
import { loadPolicy } from './load.ts';
import { type CompiledPolicy, compilePolicy } from './match.ts';
import type { Policy } from './schema.ts';

/** A policy with its text as it was written, which proposals change. */
export interface Rules {
  /** The JSON as its author wrote it, without the values that the schema adds. */
  readonly source: unknown;
  readonly policy: Policy;
  readonly compiled: CompiledPolicy;
}
export interface PolicyVersion extends Rules {
  /** The SHA-256 of `compact(source)`, 64 hexadecimal digits. */
  readonly version: string;
}

/** The text that is kept and hashed: neither spaces nor line ends of a file make another version. */
export const compact = (source: unknown): string => JSON.stringify(source);

export const versionOf = (text: string): string => sha256(text);

/** As audit records and people name a version. */
export const shortVersion = (version: string): string => version.slice(0, SHORT_DIGITS);
const SHORT_DIGITS = 12;

/**
 * @param text a policy, compact or not
 * @throws PolicyError with every problem
 */
export function compileVersion(text: string): PolicyVersion {
  const policy = loadPolicy(text);
  const source: unknown = JSON.parse(text);
  return { version: versionOf(compact(source)), source, policy, compiled: compilePolicy(policy) };
}
