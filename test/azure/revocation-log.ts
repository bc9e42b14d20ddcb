/** Writers and readers of revocations over one table, step by step in an order that a seed decides. */
import { createRevocationReader } from '../../src/azure/revocation-reader.ts';
import { createRevocationTable } from '../../src/azure/revocation-store.ts';
import { createFreshness } from '../../src/exchange/freshness.ts';
import type { Revocation } from '../../src/ports.ts';
import { lift, raise } from '../../src/revocation/entry.ts';
import type { RevocationTable } from '../../src/revocation/ports.ts';
import { inForce } from '../policy/rules.ts';
import { policy, START_MS } from '../revocation/fakes.ts';
import { type Fate, type Op, SteppedTables } from './stepped-tables.ts';

export type Mutation =
  | 'an entry left out of the log'
  | 'the head before the change'
  | 'the entry before its row of the log'
  | 'a change left unfinished by whoever comes next';

const rules = inForce(policy);
const SCOPES = ['a', 'b', 'c'].map((name) => ({ kind: 'grant' as const, name }));
const keyOf = ({ name }: { name: string }) => `grant:${name}`;

/** Deterministic, so that a seed replays its order. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is known of one scope by those whose calls have returned, and by those that have only begun. */
interface Known {
  cutOffSeconds: number;
  blocks: number;
  liftsBegun: number;
  /** Set: a lift has returned, and no block was under way when it began or has begun since. */
  isLifted: boolean;
  blocksBegun: number;
}

export interface Outcome {
  /** In words; undefined: nothing was missed. */
  readonly missed: string | undefined;
  readonly looks: number;
  readonly failed: number;
  readonly fullLoads: number;
}

export async function follow(seed: number, mutation?: Mutation): Promise<Outcome> {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const held: (() => void)[] = [];
  const step = (): Promise<void> => new Promise((resolve) => held.push(resolve));
  const tables = new SteppedTables(step);
  let head = 0;
  let nowMs = START_MS;
  let missed: string | undefined;
  let looks = 0;
  let failed = 0;
  let fullLoads = 0;
  const acts = new Set<Promise<void>>();
  const known = new Map<string, Known>(
    SCOPES.map((scope) => [
      keyOf(scope),
      { cutOffSeconds: 0, blocks: 0, liftsBegun: 0, isLifted: false, blocksBegun: 0 },
    ]),
  );

  const fate = (): Fate => {
    const dice = next();
    if (dice < 0.9) return 'served';
    return dice < 0.94 ? 'refused' : dice < 0.98 ? 'lost' : 'killed';
  };
  const always = (): Fate => 'served';
  const bump = async (): Promise<void> => {
    await step();
    head += 1;
    await step();
  };

  async function act(table: RevocationTable): Promise<void> {
    const scope = SCOPES[below(SCOPES.length)] ?? SCOPES[0];
    if (scope === undefined) return;
    const about = known.get(keyOf(scope));
    if (about === undefined) return;
    const isLift = next() < 0.2;
    const cutOffSeconds = START_MS / 1000 + below(1_000);
    const blockCause = next() < 0.3 ? `cause ${below(1_000_000)}` : undefined;
    if (isLift) about.liftsBegun += 1;
    else if (blockCause !== undefined) {
      about.blocksBegun += 1;
      about.isLifted = false;
    }
    const { blocksBegun } = about;
    const isCalm = about.blocks === blocksBegun;
    const change = { scope, cutOffSeconds, blockCause, reason: 'r', source: 's', receivedAtMs: START_MS };
    try {
      if (mutation === 'the head before the change') await bump();
      const entry = await table.update(keyOf(scope), (current) =>
        isLift ? current && lift(current, Object.keys(current.blocks), nowMs) : raise(current, change),
      );
      if (mutation !== 'the head before the change') await bump();
      if (isLift) about.isLifted = entry !== undefined && isCalm && about.blocksBegun === blocksBegun;
      else {
        about.cutOffSeconds = Math.max(about.cutOffSeconds, cutOffSeconds);
        if (blockCause !== undefined) about.blocks += 1;
      }
    } catch {
      failed += 1;
      // It may have had its effect or not, and nobody was told that it is in force.
      if (!isLift) about.isLifted = false;
    }
  }

  /** A writer's process, on which the mutation lies. */
  function writer(): RevocationTable {
    let late: (() => unknown) | undefined;
    const process = tables.process(fate, (op, _row, real) => {
      const isLog = op.partitionKey === 'revocation-log' && op.kind === 'create';
      const isEntry = op.partitionKey === 'revocation' && (op.kind === 'create' || op.kind === 'update');
      if (mutation === 'an entry left out of the log' && isLog && next() < 0.2) return {};
      if (mutation === 'a change left unfinished by whoever comes next') {
        if (isEntry && next() < 0.3) return {};
        if (op.kind === 'get') return { ...(real() as object), change: Number.MAX_SAFE_INTEGER };
      }
      if (mutation === 'the entry before its row of the log') {
        if (isLog) {
          late = real;
          return {};
        }
        const done = real();
        if (isEntry) {
          late?.();
          late = undefined;
        }
        return done;
      }
      return real();
    });
    return createRevocationTable(process, step);
  }

  function reader() {
    let entryPages = 0;
    const counted = (op: Op): Fate => {
      if (op.partitionKey === 'revocation' && op.kind === 'page') entryPages += 1;
      return 'served';
    };
    const read = createRevocationReader(tables.process(counted), () => nowMs);
    const freshness = createFreshness(
      {
        version: async () => {
          await step();
          const version = String(head);
          await step();
          return version;
        },
        load: async () => {
          await step();
          const version = String(head);
          await step();
          const before = entryPages;
          const { entries: revocations } = await read(false);
          if (entryPages > before) fullLoads += 1;
          return { version, revocations, slots: new Map(), policy: undefined };
        },
      },
      async () => rules,
      () => nowMs,
      0,
    );
    return async (): Promise<ReadonlyMap<string, Revocation>> => {
      looks += 1;
      const promised = structuredClone(known);
      const { revocations } = await freshness.fresh();
      for (const [key, { cutOffSeconds, blocks, liftsBegun, isLifted, blocksBegun }] of promised) {
        const entry = revocations.get(key);
        const since = known.get(key);
        if ((entry?.cutOffSeconds ?? 0) < cutOffSeconds) missed ??= `the cut-off of ${key}`;
        if (blocks > 0 && since?.liftsBegun === 0 && liftsBegun === 0 && !entry?.blocked)
          missed ??= `the block of ${key}`;
        if (isLifted && since?.blocksBegun === blocksBegun && since.isLifted && entry?.blocked)
          missed ??= `the lift of ${key}`;
      }
      return revocations;
    };
  }

  const readers = [reader(), reader()];
  const begin = (work: () => Promise<unknown>): void => {
    const running = (async () => {
      for (let pauses = below(20); pauses > 0; pauses -= 1) await step();
      await work();
    })();
    acts.add(running);
    running.finally(() => acts.delete(running)).catch(() => undefined);
  };
  for (let round = 0; round < 3; round += 1) {
    const writers = [writer(), writer(), writer()];
    for (let count = 2 + below(8); count > 0; count -= 1) {
      const table = writers[below(writers.length)];
      if (table !== undefined) begin(() => act(table));
    }
    for (const look of readers) if (next() < 0.7) begin(look);
    if (next() < 0.5) readers.push(reader());
    await drain();
    if (next() < 0.5) {
      // Long after: no call of a writer from before is under way any more.
      const trimmed = createRevocationTable(tables.process(always), step).trimLog(Number.MAX_SAFE_INTEGER);
      begin(() => trimmed);
      await drain();
    }
  }
  // A minute later all have what is stored, whoever died before the head was bumped.
  nowMs += 60_000;
  const fresh = reader();
  const seen: ReadonlyMap<string, Revocation>[] = [];
  for (const look of [fresh, ...readers]) begin(async () => seen.push(await look()));
  await drain();
  const shown = seen.map((entries) => JSON.stringify([...entries].sort(([a], [b]) => (a < b ? -1 : 1))));
  if (new Set(shown).size > 1) missed ??= 'two instances differ a minute later';
  return { missed, looks, failed, fullLoads };

  async function drain(): Promise<void> {
    while (acts.size > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const [chosen] = held.splice(below(held.length), 1);
      chosen?.();
    }
  }
}
