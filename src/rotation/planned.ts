/**
 * What operators and the health check are told of the accounts, in the issuer app: the rows that the rotator app wrote,
 * and what operators have said. Neither ARM nor the vault is asked.
 */

import { accountKey } from '../account-key.ts';
import { iso } from '../iso.ts';
import type { Resource } from '../policy/schema.ts';
import type { Clock, MintLedger } from '../ports.ts';
import type { PlanReader, PlanRow } from './plan-row.ts';
import type { PauseReader } from './ports.ts';
import { type Account, accountOf, rotates, type Step, stepOf } from './shown.ts';
import type { HistoryEntry } from './state.ts';

/** Resources, by their names. */
export interface Overdue {
  readonly overdue: readonly string[];
  /** They have a key that the rotation did not see being made, so its age is unknown. */
  readonly ofUnknownAge: readonly string[];
  /** They were never looked at. */
  readonly unseen: readonly string[];
  /** When the one of the others was looked at that was looked at least recently; undefined: there is none. */
  readonly lookedAtMs: number | undefined;
}

/** Each method may throw UpstreamFailure. */
export interface Planned {
  accounts(): Promise<readonly Account[]>;
  /** As in the list, and for each slot until when a token that was bought with it may live, as far as one still may. */
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
  ledger: Pick<MintLedger, 'latestExpiryMs'>,
  /** Of the policy in force. */
  resources: () => readonly Resource[],
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
  /** The rotator app looks this up for the slot that drains. For the others nobody waits, so it is read when asked for. */
  async function withTokens(key: string, { slots }: Account): Promise<Pick<Account, 'slots'>> {
    if (slots === undefined) return {};
    const read = slots.map(async (one) => {
      const untilMs = await ledger.latestExpiryMs(key, one.slot);
      return untilMs > clock() ? { ...one, tokensUntil: iso(untilMs) } : one;
    });
    return { slots: await Promise.all(read) };
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
  const named = (name: string): Resource | undefined =>
    resources().find((resource) => resource.name === name);

  return {
    accounts: () => accountsOf(resources()),
    async account(name) {
      const resource = named(name);
      const account = resource && (await accountsOf([resource]))[0];
      return account && { ...account, ...(await withTokens(keyOf(resource), account)) };
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
      const seen = resources()
        .filter(rotates)
        .map((resource) => ({
          name: resource.name,
          row: byAccount.get(keyOf(resource)),
        }));
      const looksMs = seen.flatMap(({ row }) => (row === undefined ? [] : [Date.parse(row.asOf)]));
      return {
        unseen: seen.filter(({ row }) => row === undefined).map(({ name }) => name),
        lookedAtMs: looksMs.reduce<number | undefined>(
          (oldest, atMs) => Math.min(oldest ?? atMs, atMs),
          undefined,
        ),
        overdue: seen.filter(({ row }) => isOverdue(row)).map(({ name }) => name),
        ofUnknownAge: seen.filter(({ row }) => row?.hasKeyOfUnknownAge ?? true).map(({ name }) => name),
      };
    },
  };
}
