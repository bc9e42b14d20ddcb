/** What a command is: its names and help as data, so that listing them loads none of their code. */
import type { World } from './world.ts';

export interface OptionSpec {
  /** As commander writes it: `--slot <slot>`, `--block`. */
  readonly flags: string;
  readonly about: string;
  readonly choices?: readonly string[];
  /** May be given more than once. */
  readonly many?: true;
  readonly required?: true;
}

export interface CommandSpec {
  /** `token`, `audit verify`. */
  readonly name: string;
  /** As commander writes them: `<resource>`, `[account]`, `<resource...>`. */
  readonly args: string;
  readonly about: string;
  readonly options: readonly OptionSpec[];
  /** Lines to type, without the name of the program. */
  readonly examples: readonly string[];
  /** What completion offers for the arguments. */
  readonly completes?: 'resources' | 'files';
  /** Everything after `--` belongs to a program. */
  readonly takesProgram?: true;
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** The options that every command takes. */
export interface Shared {
  readonly broker?: string;
  readonly scope?: string;
  readonly as?: string;
  readonly json?: boolean;
  readonly utc?: boolean;
}

export interface Call {
  readonly world: World;
  /** An argument that may be repeated is flattened into the rest. */
  readonly args: readonly string[];
  readonly options: Shared & Readonly<Record<string, unknown>>;
  /** What came after `--`. */
  readonly program: readonly string[];
  /** Every command there is, for those that tell of them. */
  readonly specs: readonly CommandSpec[];
}
/** @returns the exit code; nothing means done */
export type Run = (call: Call) => Promise<number | undefined>;

export const textOption = (options: Call['options'], name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};
