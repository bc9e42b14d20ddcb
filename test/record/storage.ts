/** The storage of the record in memory. A strike may end, fail or repeat each single operation. */
import type {
  AuditRow,
  AuditRows,
  Books,
  Cursor,
  Proof,
  RollUp,
  RollUpKey,
  RowList,
  Versioned,
} from '../../src/record/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

/** The process ends here. */
export class Crash extends Error {}

/**
 * What happens to an operation. `dies` and `fails`: before it does anything; `diesAfter` and `lost`: it is carried out,
 * and nobody hears of it; `repeated`: its answer is lost, the adapter tries again, and that answer is returned.
 */
export const STRIKES = ['dies', 'fails', 'diesAfter', 'lost', 'repeated'] as const;
export type Strike = (typeof STRIKES)[number] | undefined;

/** Things by the minute they are of, so that months of them can be looked through minute by minute. */
class ByMinute<T> {
  readonly #minutes = new Map<string, Map<string, T>>();
  readonly #order: string[] = [];
  set(minute: string, key: string, thing: T): void {
    const there = this.#minutes.get(minute);
    if (there !== undefined) there.set(key, thing);
    else {
      this.#minutes.set(minute, new Map([[key, thing]]));
      this.#order.splice(this.#from(minute), 0, minute);
    }
  }
  delete(minute: string, key: string): void {
    const there = this.#minutes.get(minute);
    there?.delete(key);
    if (there?.size !== 0) return;
    this.#minutes.delete(minute);
    this.#order.splice(this.#from(minute), 1);
  }
  /** In the order of their keys. */
  between(first: string, last: string): T[] {
    const found: T[] = [];
    for (let at = this.#from(first); (this.#order[at] ?? '~') <= last; at += 1)
      found.push(...sorted(this.#minutes.get(this.#order[at] ?? '')));
    return found;
  }
  all(): T[] {
    return [...this];
  }
  *[Symbol.iterator](): Generator<T> {
    for (const minute of this.#order) yield* sorted(this.#minutes.get(minute));
  }
  /** The place of the first minute that is not before this one. */
  #from(minute: string): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle] ?? '') < minute) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
const sorted = <T>(map: ReadonlyMap<string, T> = new Map()): T[] =>
  [...map].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, thing]) => thing);

export class Storage {
  readonly rows = new ByMinute<AuditRow>();
  readonly blobs = new Map<string, string>();
  readonly rollUps = new Map<string, Versioned<RollUp>>();
  readonly lists = new ByMinute<RowList>();
  readonly drafts = new Map<string, string>();
  cursor: Versioned<Cursor> | undefined;
  #etags = 0;

  etag(): string {
    this.#etags += 1;
    return String(this.#etags);
  }
  insert(row: AuditRow): void {
    this.rows.set(minuteIn(row.key), row.key, row);
  }
}
const minuteIn = (key: string): string => key.slice(0, 16);
const placeOf = (sequence: number): string => String(sequence).padStart(12, '0');
const name = ({ per, resource, at }: RollUpKey) => `${per}:${resource}:${at}`;

/** @param step decides what happens to the next operation */
export function portsTo(
  storage: Storage,
  step: (operation: string) => Promise<Strike> = async () => undefined,
): { audit: AuditRows; proof: Proof; books: Books } {
  async function run<T>(operation: string, work: () => T): Promise<T> {
    const strike = await step(operation);
    if (strike === 'dies') throw new Crash();
    if (strike === 'fails') throw new UpstreamFailure('tables', 'is down');
    const answer = work();
    if (strike === 'diesAfter') throw new Crash();
    if (strike === 'lost') throw new UpstreamFailure('tables', 'no answer in time');
    return strike === 'repeated' ? work() : answer;
  }
  const { rows, blobs, rollUps, lists, drafts } = storage;
  return {
    audit: {
      rows: async function* (first, last) {
        yield* await run('rows', () => rows.between(first, last));
      },
      keys: (first, last) => run('keys', () => rows.between(first, last).map(({ key }) => key)),
      earliest: () => run('earliest', () => rows.all()[0]?.key.slice(0, 16)),
      remove: (keys) =>
        run('remove', () => {
          for (const key of keys) rows.delete(minuteIn(key), key);
        }),
    },
    proof: {
      read: (day, position) => run('read', () => (blobs.get(day) ?? '').slice(position)),
      days: () => run('days', () => [...blobs.keys()].sort()),
      append: (day, position, text) =>
        run('append', () => {
          const blob = blobs.get(day) ?? '';
          if (blob.length !== position) return 'moved';
          blobs.set(day, blob + text);
          return 'appended';
        }),
    },
    books: {
      cursor: () => run('cursor', () => storage.cursor),
      moveCursor: (to, etag) =>
        run('moveCursor', () => {
          if (storage.cursor?.etag !== etag) return 'changed';
          storage.cursor = { value: to, etag: storage.etag() };
          return 'written';
        }),
      rollUp: (key) => run('rollUp', () => rollUps.get(name(key))),
      putRollUp: (rollUp, etag) =>
        run('putRollUp', () => {
          if (rollUps.get(name(rollUp))?.etag !== etag) return 'changed';
          rollUps.set(name(rollUp), { value: rollUp, etag: storage.etag() });
          return 'written';
        }),
      rollUps: ({ per, resource, first, last }) =>
        run('rollUps', () => ({
          items: [...rollUps.values()]
            .map(({ value }) => value)
            .filter((one) => one.per === per && (resource === undefined || one.resource === resource))
            .filter(({ at }) => at >= first && at <= last)
            .sort((one, other) => (name(one) < name(other) ? -1 : 1)),
        })),
      putList: (list) => run('putList', () => lists.set(list.minute, placeOf(list.sequence), list)),
      lists: (first, last) => run('lists', () => lists.between(first, last)),
      oldestLists: (before, most) =>
        run('oldestLists', () => {
          const found: RowList[] = [];
          for (const list of lists) {
            if (list.minute >= before || found.length === most) break;
            found.push(list);
          }
          return found;
        }),
      removeLists: (gone) =>
        run('removeLists', () => {
          for (const { minute, sequence } of gone) lists.delete(minute, placeOf(sequence));
        }),
      removeHours: (before, most) =>
        run('removeHours', () => {
          const old = [...rollUps.values()].filter(({ value }) => value.per === 'hour' && value.at < before);
          for (const { value } of old.slice(0, most)) rollUps.delete(name(value));
          return Math.min(old.length, most);
        }),
      putDraft: (sequence, hash, text) => run('putDraft', () => void drafts.set(`${sequence}:${hash}`, text)),
      draft: (sequence, hash) => run('draft', () => drafts.get(`${sequence}:${hash}`)),
      removeDrafts: (through) =>
        run('removeDrafts', () => {
          for (const key of drafts.keys()) if (Number(key.split(':')[0]) <= through) drafts.delete(key);
        }),
    },
  };
}
