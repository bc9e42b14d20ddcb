/** An account in words: its state, its age against its policy, what it waits for. Pure. */

import type { Said } from '../../parts/said.ts';
import type { Account } from '../../wire.ts';
import { isMoving } from './window.ts';

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

export function stateOf(account: Account): Said {
  const { rotates, state = '', stuck, overdue, blocked, paused } = account;
  if (!rotates) return { tone: '', sign: '–', words: 'Not rotated' };
  if (account.asOf === undefined) return { tone: '', sign: '…', words: 'Not looked at yet' };
  if (stuck) return { tone: 'bad', sign: '✕', words: capital(state) };
  if (overdue) return { tone: 'bad', sign: '✕', words: 'Overdue' };
  if (blocked !== undefined && blocked.code !== 'busy') return { tone: 'warn', sign: '!', words: 'Blocked' };
  if (paused !== undefined) return { tone: 'warn', sign: '‖', words: 'Paused' };
  if (isMoving(account)) return { tone: '', sign: '↻', words: capital(state) };
  return account.phase === 'steady'
    ? { tone: 'good', sign: '✓', words: 'Steady' }
    : { tone: '', sign: '…', words: capital(state) };
}

export interface Age {
  readonly sinceMs: number | undefined;
  readonly dueMs: number | undefined;
  /** How much of its time the key in use has had; above 1 it is due. */
  readonly part: number | undefined;
}
export function ageOf({ active, slots = [], dueAt }: Account, nowMs: number): Age {
  const born = slots.find(({ slot }) => slot === active)?.since;
  const sinceMs = born === undefined ? undefined : Date.parse(born);
  const dueMs = dueAt === undefined ? undefined : Date.parse(dueAt);
  if (sinceMs === undefined || dueMs === undefined || dueMs <= sinceMs)
    return { sinceMs, dueMs, part: undefined };
  return { sinceMs, dueMs, part: (nowMs - sinceMs) / (dueMs - sinceMs) };
}

export const SHOWN = { '': 'All', moving: 'Rotating', attention: 'Need somebody' } as const;
export type Shown = keyof typeof SHOWN;
export const shownOf = (text = ''): Shown => (text === 'moving' || text === 'attention' ? text : '');

export function isShown(account: Account, shown: Shown, text: string): boolean {
  const { tone } = stateOf(account);
  const isOf = shown === '' || (shown === 'moving' ? isMoving(account) : tone === 'warn' || tone === 'bad');
  return isOf && `${account.name} ${account.kind}`.toLowerCase().includes(text.trim().toLowerCase());
}

/** The phases that a slot goes through while it is retired. */
export const PHASES = {
  promoting: 'The other key is proved, then used',
  draining: 'The old tokens run out',
  regenerating: 'A new key is made',
  proving: 'The new key is accepted, the old one refused',
} as const;
