/** The table of attacks. */
import type { Attack } from './attack.ts';
import { events } from './events.ts';
import { injections } from './injections.ts';
import { operators } from './operators.ts';
import { requests } from './requests.ts';
import { targetSpellings } from './targets.ts';
import { tokens } from './tokens.ts';

export const table: Readonly<Record<string, readonly Attack[]>> = {
  tokens,
  requests,
  targets: targetSpellings,
  events,
  injections,
  operators,
};
