/**
 * Some days of audit and of closing it, by chance: instances whose clocks are off write rows, most at once and some
 * late by up to 25 hours; two closers run at the same time, step by step as chance has it, and die, fail or hear no
 * answer at any step; the closing is off for a day; the storage is out of reach for hours.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { iso } from '../../src/iso.ts';
import { closeBooks } from '../../src/record/close.ts';
import type { AuditRow } from '../../src/record/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import type { Chance } from '../simulation/random.ts';
import { Crash, portsTo, STRIKES, Storage, type Strike } from './storage.ts';

export interface WeekOptions {
  readonly days: number;
  readonly rowsAnHour: number;
  readonly strike: number;
  readonly closers?: number;
  readonly hasOutages?: boolean;
  readonly auditDays?: number;
}
export interface Week {
  readonly storage: Storage;
  /** Every row that was ever written. */
  readonly written: readonly AuditRow[];
  readonly strikes: number;
  readonly endMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
export const BEGIN_MS = Date.parse('2026-11-20T06:30:00Z');

export async function liveThrough(chance: Chance, options: WeekOptions): Promise<Week> {
  const { days, rowsAnHour, strike, closers = 2, hasOutages = true, auditDays = 90 } = options;
  const storage = new Storage();
  const written: AuditRow[] = [];
  const minutes = days * 24 * 60;
  let strikes = 0;
  const off = hasOutages ? spanOf(chance, minutes, 24 * 60) : [0, 0];
  const down = hasOutages ? spanOf(chance, minutes, 6 * 60) : [0, 0];
  const pending = rowsOf(chance, minutes, rowsAnHour);
  const clockOffs = Array.from({ length: closers }, () => chance.between(-60_000, 60_000));

  function insertUntil(ms: number): void {
    while ((pending.at(-1)?.atMs ?? Number.POSITIVE_INFINITY) <= ms) {
      const next = pending.pop();
      if (next === undefined) return;
      storage.insert(next.row);
      written.push(next.row);
    }
  }
  async function tick(nowMs: number, probability: number): Promise<void> {
    await interleaved(
      chance,
      clockOffs.map((off) => async (next) => {
        const step = async (): Promise<Strike> => {
          await next();
          insertUntil(nowMs + chance.between(0, MINUTE_MS));
          if (!chance.is(probability)) return undefined;
          strikes += 1;
          return chance.pick(STRIKES);
        };
        let rounds = 3;
        await closeBooks({
          ...portsTo(storage, step),
          clock: () => nowMs + off,
          log: () => undefined,
          keep: { auditDays, holdFromMs: undefined },
          isOver: () => {
            rounds -= 1;
            return rounds < 0;
          },
        });
      }),
    );
  }
  for (let minute = 0; minute < minutes; minute += 1) {
    const nowMs = BEGIN_MS + minute * MINUTE_MS;
    insertUntil(nowMs);
    if (minute >= (off[0] ?? 0) && minute < (off[1] ?? 0)) continue;
    await tick(nowMs, minute >= (down[0] ?? 0) && minute < (down[1] ?? 0) ? 1 : strike);
  }
  // Then all is well, until every minute was looked at for the last time.
  const endMs = BEGIN_MS + minutes * MINUTE_MS + 27 * HOUR_MS;
  insertUntil(endMs);
  for (let nowMs = endMs - 27 * HOUR_MS; nowMs <= endMs; nowMs += 30 * MINUTE_MS) await tick(nowMs, 0);
  return { storage, written, strikes, endMs };
}

function spanOf(chance: Chance, minutes: number, most: number): [number, number] {
  const length = Math.min(most, Math.floor(minutes / 3));
  const from = chance.between(0, minutes - length);
  return [from, from + length];
}

/** Runs them at once: each waits for its turn before each step, and chance says whose turn it is. */
async function interleaved(chance: Chance, runs: readonly ((next: () => Promise<void>) => Promise<void>)[]) {
  const waiting: (() => void)[] = [];
  let live = runs.length;
  for (const run of runs)
    run(() => new Promise((resolve) => waiting.push(resolve)))
      .catch((error) => {
        if (!(error instanceof Crash || error instanceof UpstreamFailure)) failure ??= error;
      })
      .finally(() => {
        live -= 1;
      });
  let failure: unknown;
  while (live > 0) {
    await turn();
    waiting.splice(chance.between(0, waiting.length - 1), 1)[0]?.();
  }
  if (failure !== undefined) throw failure;
}

const INSTANCES = ['alpha', 'bravo', 'charlie'] as const;

/** When each row arrives, the last one first. A row has the time of its writer's clock, before whatever held it up. */
function rowsOf(chance: Chance, minutes: number, rowsAnHour: number): { atMs: number; row: AuditRow }[] {
  const offs = new Map(INSTANCES.map((name) => [name, chance.between(-60_000, 60_000)]));
  const rows: { atMs: number; row: AuditRow }[] = [];
  for (let left = Math.round((minutes / 60) * rowsAnHour); left > 0; left -= 1) {
    const trueMs = BEGIN_MS + Math.floor(chance.next() * minutes * MINUTE_MS);
    const instance = chance.pick(INSTANCES);
    const stampMs = trueMs + (offs.get(instance) ?? 0);
    rows.push({ atMs: trueMs + delayOf(chance), row: rowAt(chance, stampMs, `${instance}-${left}`) });
  }
  return rows.sort((one, other) => other.atMs - one.atMs);
}
function delayOf(chance: Chance): number {
  if (chance.is(0.9)) return chance.between(0, 3_000);
  return chance.is(0.7) ? chance.between(0, 20 * MINUTE_MS) : chance.between(0, 24.9 * HOUR_MS);
}

export function rowAt(chance: Chance, ms: number, writer: string): AuditRow {
  const records = Array.from({ length: chance.between(1, 4) }, (_, index) =>
    recordAt(chance, ms, `${writer}-${index}`),
  );
  return {
    key: `${iso(ms)}-${writer}`,
    count: records.length,
    resources: ` ${[...new Set(records.map(({ resource = '' }) => resource))].sort().join(' ')} `,
    records: records.map((record) => JSON.stringify(record)).join('\n'),
  };
}

const RESOURCES = ['speech', 'translator', 'language'] as const;
const GRANTS = ['captions', 'subtitles'] as const;
const REFUSALS = ['revoked: user a b', 'rate_limited', 'grant_missing', 'target_unknown'] as const;
const numbered = (chance: Chance, of: string) => `${of}-${chance.between(1, 4)}`;

function recordAt(
  chance: Chance,
  ms: number,
  correlationId: string,
): Readonly<Record<string, string | number | undefined>> {
  const at = iso(ms - chance.between(0, 2_000));
  const caller = {
    tenantId: 'home',
    clientId: numbered(chance, 'app'),
    objectId: numbered(chance, 'person'),
  };
  const common = { at, correlationId, instance: 'i' };
  if (chance.is(0.05))
    return { ...common, outcome: 'done', ...caller, act: 'rotate', target: 'speech', reason: 'drill' };
  if (chance.is(0.1))
    return {
      ...common,
      outcome: 'refused',
      reason: 'caller_unverified: expired',
      count: chance.between(1, 500),
    };
  const resource = chance.pick(RESOURCES);
  const under = { grant: chance.pick(GRANTS), tokenKind: 'sts' };
  if (chance.is(0.7)) return { ...common, outcome: 'granted', ...caller, resource, ...under };
  const reason = chance.pick(REFUSALS);
  if (reason === 'target_unknown')
    return {
      ...common,
      outcome: 'refused',
      ...caller,
      resource: `made-up-${correlationId}`,
      asked: 'entra',
      reason,
    };
  return {
    ...common,
    outcome: 'refused',
    ...caller,
    resource,
    reason,
    ...(reason === 'grant_missing' ? {} : under),
  };
}
