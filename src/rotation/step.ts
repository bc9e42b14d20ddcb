/** The one step that a tick makes: said by retire.ts, made by effects.ts, remembered by progress.ts. */
import type { Slot } from '../ports.ts';
import type { Drift } from './drift.ts';
import type { RotationState } from './state.ts';

export type Step =
  | { readonly do: 'wait'; readonly why: string; readonly untilMs?: number }
  /** Nothing outside changes; only what is remembered. */
  | { readonly do: 'note'; readonly why: string; readonly to: RotationState; readonly drift?: Drift['what'] }
  /** A version is written with the first of these slots' keys that is accepted. */
  | {
      readonly do: 'heal';
      readonly why: string;
      readonly drift: Drift['what'];
      readonly slots: readonly Slot[];
    }
  | { readonly do: 'prove' | 'publish' | 'regenerate'; readonly why: string; readonly slot: Slot }
  /** Versions with dead keys are disabled. */
  | { readonly do: 'tidy'; readonly why: string };
