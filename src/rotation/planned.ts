/**
 * What operators and the health check are told of the accounts, in the issuer app: the rows that the rotator app wrote,
 * and what operators have said. Neither ARM nor the vault is asked.
 */

import { accountKey } from '../account-key.ts';
import { iso } from '../iso.ts';
import type { Resource } from '../policy/schema.ts';
import type { Clock } from '../ports.ts';
import type { TokenKind } from '../token-kind.ts';
import type { PlanReader, PlanRow } from './plan-row.ts';
import type { Pause, PauseReader } from './ports.ts';
import type { HistoryEntry } from './state.ts';

/** One account, as the operator API returns it. Absent members are left out. */
export interface Account
  extends Partial<Pick<PlanRow, 'asOf' | 'phase' | 'active' | 'slots' | 'dueAt' | 'rotatedAt'>> {
  readonly name: string;
  readonly kind: string;
  readonly tokenKinds: readonly TokenKind[];
  readonly rotates: boolean;
  /** For people: `draining (Key1)`, `stuck: proving (Key2)`. */
  readonly state?: string | undefined;
  readonly next?: { readonly what: string; readonly at?: string | undefined } | undefined;
  readonly blocked?:
    | { readonly code: string; readonly what: string; readonly advice?: string | undefined }
    | undefined;
  readonly overdue?: boolean | undefined;
  readonly stuck?: boolean | undefined;
  /** A key may be older than its period, because nobody saw it being made. */
  readonly keyOfUnknownAge?: boolean | undefined;
  readonly paused?:
    | { readonly by: string; readonly reason: string; readonly at?: string | undefined }
    | undefined;
}

/** One step that was made. */
export interface Step {
  readonly at: string;
  readonly what: string;
  readonly slot?: HistoryEntry['slot'];
  readonly from: string;
  readonly to: string;
  /** How long the rotation was in the phase `from`. */
  readonly tookMs: number;
  readonly by: string;
  readonly emergency?: true | undefined;
  /** From the regenerate until the new key was seen accepted, and the old one refused. */
  readonly newKeyLagMs?: number | undefined;
  readonly oldKeyLagMs?: number | undefined;
}

/** Resources, by their names. */
export interface Overdue {
  readonly overdue: readonly string[];
  /** They have a key that the rotation did not see being made, so its age is unknown. */
  readonly ofUnknownAge: readonly string[];
}

/** Each method may throw UpstreamFailure. */
export interface Planned {
  accounts(): Promise<readonly Account[]>;
  account(name: string): Promise<Account | undefined>;
  /** The newest first, and only those before the step `before`. undefined: there is no such account. */
  history(
    name: string,
    most: number,
    before: number | undefined,
  ): Promise<readonly (Step & { readonly fence: number })[] | undefined>;
  /** The steps of an account since then, the oldest first, at most the last hundred. */
  stepsSince(name: string, sinceMs: number): Promise<readonly Step[]>;
  /** Computed from the rows at the time of the call, so it is also right when the rotator app has stopped. */
  overdue(): Promise<Overdue>;
}

const MAX_STEPS_SINCE = 100;

export function createPlanned(
  reader: PlanReader,
  pauses: PauseReader,
  resources: readonly Resource[],
  clock: Clock,
): Planned {
  const keyOf = ({ accountId }: Resource): string => accountKey(accountId);
  const isOverdue = (row: PlanRow | undefined): boolean =>
    row?.overdueAt !== undefined && clock() > Date.parse(row.overdueAt);

  async function accountsOf(asked: readonly Resource[]): Promise<readonly Account[]> {
    const [rows, said] = await Promise.all([reader.all(), pauses.all()]);
    const byAccount = new Map(rows.map((row) => [row.account, row]));
    return asked.map((resource) => {
      const key = keyOf(resource);
      const row = byAccount.get(key);
      return accountOf(resource, row, isOverdue(row), said.get(key));
    });
  }
  /** Entries of older versions are kept under the resource's name, and come after the others. */
  async function entriesOf(
    resource: Resource,
    most: number,
    before?: number,
  ): Promise<readonly HistoryEntry[]> {
    const found = await reader.history(keyOf(resource), most, before);
    return found.length < most
      ? [...found, ...(await reader.history(resource.name, most - found.length, before))]
      : found;
  }
  const named = (name: string): Resource | undefined => resources.find((resource) => resource.name === name);

  return {
    accounts: () => accountsOf(resources),
    async account(name) {
      const resource = named(name);
      return resource && (await accountsOf([resource]))[0];
    },
    async history(name, most, before) {
      const resource = named(name);
      if (resource === undefined) return undefined;
      const entries = await entriesOf(resource, most, before);
      return entries.map((entry) => ({ ...stepOf(entry), fence: entry.fence }));
    },
    async stepsSince(name, sinceMs) {
      const resource = named(name);
      const entries = resource === undefined ? [] : await entriesOf(resource, MAX_STEPS_SINCE);
      return entries
        .filter(({ atMs }) => atMs >= sinceMs)
        .map(stepOf)
        .reverse();
    },
    async overdue() {
      const byAccount = new Map((await reader.all()).map((row) => [row.account, row]));
      const seen = resources.filter(rotates).map((resource) => ({
        name: resource.name,
        row: byAccount.get(keyOf(resource)),
      }));
      return {
        overdue: seen.filter(({ row }) => isOverdue(row)).map(({ name }) => name),
        ofUnknownAge: seen.filter(({ row }) => row?.hasKeyOfUnknownAge ?? true).map(({ name }) => name),
      };
    },
  };
}

/** Whether its keys are rotated: the policy names a secret and has rotation settings. */
export const rotates = ({ secret, rotation }: Resource): boolean =>
  secret !== undefined && rotation !== undefined;

function accountOf(
  resource: Resource,
  row: PlanRow | undefined,
  overdue: boolean,
  pause: Pause | undefined,
): Account {
  const { name, kind, tokenKinds, rotation } = resource;
  const about = { name, kind, tokenKinds, rotates: rotates(resource) };
  if (!about.rotates) return about;
  const paused = pausedOf(pause, rotation?.paused === true);
  if (row === undefined)
    return { ...about, next: { what: 'the rotator app looks with its next tick' }, ...paused };
  const { asOf, state, phase, active, slots, next, at, blocked, code, todo } = row;
  return {
    ...about,
    asOf,
    state,
    phase,
    active,
    slots,
    next: { what: next, at },
    ...(blocked !== undefined && {
      blocked: { code: code ?? 'in_words', what: blocked, ...(todo !== undefined && { advice: todo }) },
    }),
    dueAt: row.dueAt,
    rotatedAt: row.rotatedAt,
    overdue,
    stuck: row.stuck === true,
    ...(row.hasKeyOfUnknownAge && { keyOfUnknownAge: true }),
    ...paused,
  };
}

function pausedOf(pause: Pause | undefined, byPolicy: boolean): Pick<Account, 'paused'> {
  if (pause === undefined)
    return byPolicy ? { paused: { by: 'the policy', reason: 'rotation.paused of this account' } } : {};
  const { paused, by, reason, at } = pause;
  return paused ? { paused: { by, reason, at } } : {};
}

function stepOf(entry: HistoryEntry): Step {
  const { from, to, why, by, slot, tookMs, newKeyLagMs, oldKeyLagMs } = entry;
  return {
    at: iso(entry.atMs),
    what: why,
    ...(slot !== undefined && { slot }),
    from,
    to,
    tookMs,
    by,
    ...(entry.emergency && { emergency: true }),
    ...(newKeyLagMs !== undefined && { newKeyLagMs }),
    ...(oldKeyLagMs !== undefined && { oldKeyLagMs }),
  };
}
