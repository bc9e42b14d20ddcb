/** Blocks and lifts: what was lifted stays lifted, whatever is delivered again, and nothing else is lifted. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_CAUSES } from '../../src/revocation/entry.ts';
import { createRevocation } from '../../src/revocation/revocation.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { createWorld, HOME, USER, type World } from './fakes.ts';

const scope = { kind: 'user', tenantId: HOME, objectId: USER } as const;
const key = `user:${HOME}:${USER}`;
const HOUR_MS = 3_600_000;
const block = (id: string) => ({
  id,
  eventType: 'AzureAiTokenBroker.RevocationRequested',
  data: { scope, block: true },
});

let world: World;
beforeEach(() => {
  world = createWorld();
});
const isBlocked = () => world.entries.get(key)?.blocked === true;

describe('a lifted block', () => {
  for (const [what, laterMs] of [
    ['at once', 0],
    ['31 hours later', 31 * HOUR_MS],
    ['29 days later', 29 * 24 * HOUR_MS],
    ['half a year later, from a dead letter', 183 * 24 * HOUR_MS],
  ] as const)
    test(`does not come back when its event is delivered again ${what}`, async () => {
      const { react, operate, reconcile } = world.revocation;
      await react(block('1'));
      assert.equal(await operate.lift(scope, 'olga'), true);
      for (let waitedMs = 0; waitedMs < laterMs; waitedMs += laterMs) world.advance(laterMs);
      await reconcile();
      await react(block('1'));
      assert.equal(isBlocked(), false);
      await react(block('2'));
      assert.equal(isBlocked(), true, 'another event blocks');
    });

  test('does not come back for a moment either, should its repeated delivery die halfway', async () => {
    const { react, operate } = world.revocation;
    await react(block('1'));
    await operate.lift(scope, 'olga');
    for (let calls = 0; calls < 6; calls += 1) {
      world.failTablesAfter(calls);
      await react(block('1')).catch((error: unknown) => assert.ok(error instanceof UpstreamFailure));
      assert.equal(isBlocked(), false, `after ${calls} calls`);
    }
  });

  test('leaves a row that does not grow, however often a scope is blocked and lifted', async () => {
    const { react, operate } = world.revocation;
    const sizes = [];
    for (let n = 1; n <= 500; n += 1) {
      await react(block(`event ${n}`));
      sizes.push(JSON.stringify(world.entries.get(key)).length);
      if (n % 5 === 0) assert.equal(await operate.lift(scope, 'olga'), true);
      world.advance(60_000);
    }
    const withFiveBlocks = sizes[4] ?? 0;
    // Its times and names have a few digits more in the end.
    assert.ok(Math.max(...sizes) < withFiveBlocks + 30, `${Math.max(...sizes)}, ${withFiveBlocks} at first`);
    for (let n = 1; n <= 500; n += 1) await react(block(`event ${n}`));
    assert.equal(isBlocked(), false, 'all of them delivered again');
  });

  test('of more blocks at a time than a row holds takes the others with it, and none comes back', async () => {
    const { react, operate } = world.revocation;
    assert.ok(MAX_CAUSES * 100 < 32_768, 'a property of a table holds the causes of a full row');
    const count = MAX_CAUSES + 20;
    for (let n = 1; n <= count; n += 1) await react(block(`event ${n}`));
    assert.equal(Object.keys(world.entries.get(key)?.blocks ?? {}).length, MAX_CAUSES);
    assert.equal(await operate.lift(scope, 'olga'), true);
    assert.equal(isBlocked(), false);
    for (let n = 1; n <= count; n += 1) await react(block(`event ${n}`));
    assert.equal(isBlocked(), false);
  });
});

describe('the answer to a lift', () => {
  test('is that of the first try, though the answer of every write of the table is lost', async () => {
    const { table } = world.deps;
    const { operate } = createRevocation({
      ...world.deps,
      // The adapter tries again then, and finds what it wrote itself.
      table: {
        ...table,
        update: async (at, change) => (await table.update(at, change)) && table.update(at, change),
      },
    });
    await world.revocation.react(block('1'));
    assert.equal(await operate.lift(scope, 'olga'), true);
    assert.equal(isBlocked(), false);
  });

  test('is that of the first try also when that one failed, wherever it did; and false from then on', async () => {
    let failures = 0;
    for (let calls = 0; ; calls += 1) {
      world = createWorld();
      const { operate, react } = world.revocation;
      await react(block('1'));
      world.failTablesAfter(calls);
      const first = await operate.lift(scope, 'olga').catch((error: unknown) => error);
      world.failTablesAfter(Number.POSITIVE_INFINITY);
      if (first === true) break;
      failures += 1;
      assert.ok(first instanceof UpstreamFailure);
      assert.equal(await operate.lift(scope, 'olga'), true, `after ${calls} calls`);
      assert.equal(isBlocked(), false);
      assert.equal(await operate.lift(scope, 'olga'), false);
      assert.equal(world.records('effect').filter(({ reason }) => reason === 'lifted').length, 1);
    }
    assert.ok(failures >= 4, 'the look, the mark, the entry, the head, the record');
  });

  test('of the second of two blocks is recorded beside the first', async () => {
    const { operate, react } = world.revocation;
    for (const id of ['1', '2']) {
      await react(block(id));
      assert.equal(await operate.lift(scope, 'olga'), true);
    }
    assert.equal(world.records('effect').filter(({ reason }) => reason === 'lifted').length, 2);
  });
});

/** What a person must find in the end, from what was answered. */
class Known {
  readonly #sent = new Set<string>();
  readonly #acknowledged = new Set<string>();
  readonly #lifted = new Set<string>();
  /** A call that failed may have done its work or not, and then both is right. */
  readonly #maybeLifted = new Set<string>();

  deliver(id: string, succeeded: boolean): void {
    this.#sent.add(id);
    if (succeeded) this.#acknowledged.add(id);
  }

  lift(succeeded: boolean): void {
    for (const id of this.#sent)
      (succeeded && this.#acknowledged.has(id) ? this.#lifted : this.#maybeLifted).add(id);
  }

  check(blocks: readonly string[]): void {
    for (const id of this.#lifted) assert.ok(!blocks.includes(id), `${id} was lifted and blocks`);
    for (const id of this.#acknowledged)
      if (!this.#lifted.has(id) && !this.#maybeLifted.has(id))
        assert.ok(blocks.includes(id), `${id} does not block`);
  }
}

const ids = ['1', '2', '3'] as const;
const causes = new Map<string, string>();
for (const id of ids) {
  const other = createWorld();
  await other.revocation.react(block(id));
  causes.set(Object.keys(other.entries.get(key)?.blocks ?? {})[0] ?? '', id);
}
/** The ids of the events that block now. */
const blocking = (): string[] =>
  Object.keys(world.entries.get(key)?.blocks ?? {}).map((cause) => causes.get(cause) ?? '');

test('deliveries and lifts in any order, each dying at any call: what was lifted stays lifted, what was not blocks', async () => {
  const step = fc.record({
    what: fc.constantFrom('lift', ...ids),
    /** Calls of the tables before it dies; most never do. */
    calls: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(9)),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      world = createWorld();
      const { react, operate } = world.revocation;
      const known = new Known();
      for (const { what, calls } of steps) {
        world.failTablesAfter(calls);
        world.advance(1_000);
        const done = what === 'lift' ? operate.lift(scope, 'olga') : react(block(what));
        const succeeded = await done.then(
          () => true,
          (error: unknown) => assert.ok(error instanceof UpstreamFailure),
        );
        if (what === 'lift') known.lift(succeeded === true);
        else known.deliver(what, succeeded === true);
      }
      world.failTablesAfter(Number.POSITIVE_INFINITY);
      for (const { what } of steps)
        if (what !== 'lift') {
          await react(block(what));
          known.deliver(what, true);
        }
      known.check(blocking());
    }),
    { numRuns: 300 },
  );
});

test('a delivery repeated while its block is being lifted, in any order of their calls: lifted in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.nat(3), async (scheduler, others) => {
      world = createWorld();
      await world.revocation.react(block('1'));
      const { table, events, head } = world.deps;
      /** The call and its answer are each held back until the scheduler lets them go. */
      const slow = <Args extends unknown[], Result>(
        name: string,
        call: (...args: Args) => Promise<Result>,
      ) => {
        return async (...args: Args): Promise<Result> => {
          await scheduler.schedule(Promise.resolve(), name);
          const answer = await call(...args);
          await scheduler.schedule(Promise.resolve(), `${name} answered`);
          return answer;
        };
      };
      const { react, operate } = createRevocation({
        ...world.deps,
        table: { ...table, update: slow('update', table.update) },
        events: { ...events, keepFirst: slow('keep', events.keepFirst), find: slow('find', events.find) },
        head: { bump: slow('bump', head.bump) },
      });
      const all = Promise.all([
        operate.lift(scope, 'olga'),
        react(block('1')),
        ...ids.slice(1, others).map((id) => react(block(id))),
      ]);
      await scheduler.waitFor(all);
      const left = blocking();
      assert.ok(!left.includes('1'));
      await world.revocation.react(block('1'));
      assert.deepEqual(blocking(), left);
    }),
    { numRuns: 300 },
  );
});
