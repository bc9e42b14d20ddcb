/** The one step of a tick: retire.ts decides it, effects.ts makes it, progress.ts computes the state after it. */
import type { Slot } from '../ports.ts';
import type { Drift } from './drift.ts';
import type { RotationState } from './state.ts';

export type Step =
  | { readonly do: 'wait'; readonly why: string; readonly untilMs?: number }
  /** Only the stored state changes. `drift` is set where somebody else's change is taken over as it is. */
  | { readonly do: 'note'; readonly why: string; readonly to: RotationState; readonly drift?: Drift['what'] }
  /** A new version of the secret is written, with the first of these slots' keys that the account accepts. */
  | {
      readonly do: 'heal';
      readonly why: string;
      readonly drift: Drift['what'];
      readonly slots: readonly Slot[];
    }
  | { readonly do: 'prove' | 'publish' | 'regenerate'; readonly why: string; readonly slot: Slot }
  /** Versions of the secret whose keys are no keys of the account any more are disabled. */
  | { readonly do: 'tidy'; readonly why: string };
