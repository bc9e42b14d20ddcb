import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createWorld, HOME, signSet, USER } from './fakes.ts';
import { sample } from './samples.ts';

const names = readdirSync(new URL('../samples', import.meta.url)).map((file) => file.replace('.json', ''));
const own = [
  {
    id: 'own-1',
    eventType: 'AzureAiTokenBroker.RevocationRequested',
    topic: 't',
    data: {
      scope: { kind: 'user', tenantId: HOME, objectId: USER },
      notBefore: '2026-03-04T10:00:00Z',
      block: true,
      reason: 'r',
    },
  },
  {
    id: 'own-2',
    specversion: '1.0',
    type: 'AzureAiTokenBroker.KeyLeaked',
    source: 's',
    data: { sha256: 'ab'.repeat(32), resource: 'speech', reason: 'r' },
  },
];
const events: unknown[] = [
  ...names.filter((name) => /-(eg|ce)-/.test(name)).flatMap((name) => sample(name)),
  ...own,
];
const sets = names.filter((name) => name.includes('-set-')).map(sample);

/** What a field may become. */
const strange = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', ' ', 0, -1, 1.5, 1e308, true, [], {}, [[]], {
    __proto__: null,
  }),
  fc.constant('x'.repeat(100_000)),
  fc.constant(Array.from({ length: 5_000 }, (_, n) => ({ n }))),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('constructor', '__proto__', '../..', "' or 1 eq 1", '\u0000', '9999999999999999999'),
);
const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'recase', 'add', 'double'),
  value: strange,
});

function paths(value: unknown, prefix: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((name) => [
    [...prefix, name],
    ...paths((value as Record<string, unknown>)[name], [...prefix, name]),
  ]);
}

function mutate(event: unknown, { at, how, value }: { at: number; how: string; value: unknown }): unknown {
  const copy = structuredClone(event);
  const all = paths(copy);
  const path = all[at % all.length] ?? [];
  const name = path.at(-1) ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: takes any payload apart.
  const parent = path.slice(0, -1).reduce<any>((node, step) => node[step], copy);
  if (how === 'replace') parent[name] = value;
  if (how === 'add') parent[`${name}More`] = value;
  if (how === 'double') parent[name.toUpperCase()] = value;
  if (how === 'remove') delete parent[name];
  if (how === 'recase') {
    const was = parent[name];
    delete parent[name];
    parent[` ${name.toUpperCase()}`] = was;
  }
  return copy;
}

describe('a payload with a field missing, added, mistyped, huge or in another casing', () => {
  test('as an event is acted upon, ignored or kept as poison: it never fails, and never revokes more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...events),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (event, changes) => {
          const world = createWorld();
          const bad = changes.reduce(mutate, event);
          const outcome = await world.revocation.react(bad);
          assert.equal(typeof outcome, 'string');
          assert.equal(outcome === 'poison', world.records('poison').length === 1);
          // Nobody but the one user that these events are about.
          for (const key of world.entries.keys())
            assert.match(key, new RegExp(`^user:${HOME}:[0-9a-f-]{36}$`));
          assert.ok(world.entries.size <= 1);
          for (const line of world.logged)
            assert.ok(line.length < 4_000, 'no log line grows with what is sent');
        },
      ),
      { numRuns: 400 },
    );
  });

  test('as a signal is accepted or refused with a code: it never fails, and never revokes more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sets),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (set, changes) => {
          const world = createWorld();
          // Undefined members go, as they do in JSON; a mutated algorithm is signed all the same.
          const bad = changes.reduce(mutate, set) as {
            header: Record<string, unknown>;
            payload: Record<string, unknown>;
          };
          const answer = await world.revocation.signal(
            signSet({ header: bad.header ?? {}, payload: bad.payload ?? {} }),
          );
          assert.ok(answer === 'accepted' || answer.err.length > 0);
          for (const key of world.entries.keys())
            assert.match(key, new RegExp(`^(subject|user|token):${HOME}:`));
          assert.ok(world.entries.size <= 2);
        },
      ),
      { numRuns: 200 },
    );
  });
});
