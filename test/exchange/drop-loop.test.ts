/** One holder of a shared token who exchanges and revokes in a loop, and everybody else beside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createRevocation } from '../../src/revocation/revocation.ts';
import { createWorld as createRevocationWorld } from '../revocation/fakes.ts';
import { aCaller } from './caller.ts';
import { captions, granted } from './people.ts';
import { createWorld } from './world.ts';

const attacker = { ...captions, objectId: '00000000-0000-4000-8000-0000000000e1', uti: 'attacker' };

test('a victim beside a holder who exchanges and revokes as fast as it can: 0 of 1,000 exchanges fail', async () => {
  const world = createWorld({
    policy: ({ grants }) => {
      for (const grant of grants) grant.rate = { count: 1_000_000, per: '1m' };
    },
  });
  world.stsBySecond = true;
  // The revocation of the other world, on this one's tokens, revocations and clock.
  const { deps } = createRevocationWorld();
  const { issued } = createRevocation({
    ...deps,
    table: {
      ...deps.table,
      update: async (key, change) => {
        const entry = await deps.table.update(key, change);
        if (entry !== undefined) world.revocations.set(key, entry);
        return entry;
      },
    },
    head: { bump: async () => world.bump() },
    issued: {
      record: async () => undefined,
      find: async (sha256) => world.issued.find((record) => record.sha256 === sha256),
    },
    mayHave: () => true,
    now: () => world.nowMs,
  });

  const outcome = { revoked: 0, told429: 0, failed: 0, longestMs: 0 };
  let over = false;
  const attack = async (): Promise<void> => {
    while (!over) {
      const { token } = granted(await world.ask(attacker, 'speech'));
      const answer = await issued.drop(attacker, token.reveal());
      if (typeof answer === 'object' && 'retryAfterSeconds' in answer) outcome.told429 += 1;
      else outcome.revoked += 1;
      await turn();
    }
  };
  const attacking = attack();
  for (let left = 1000; left > 0; left -= 1) {
    const victim = aCaller({ appRoles: ['Token.Exchange'], uti: `victim-${left}` });
    const beganMs = world.nowMs;
    await world.ask(victim, 'speech').then(granted, () => {
      outcome.failed += 1;
    });
    outcome.longestMs = Math.max(outcome.longestMs, world.nowMs - beganMs);
    world.nowMs += 50;
    await turn();
  }
  over = true;
  await attacking;
  assert.equal(outcome.failed, 0, JSON.stringify(outcome));
  assert.ok(outcome.told429 > 100, JSON.stringify(outcome));
  assert.ok(outcome.revoked <= 3, JSON.stringify(outcome));
  assert.ok(outcome.longestMs <= 4_000, JSON.stringify(outcome));
  assert.ok(world.calls.issueToken <= 5, String(world.calls.issueToken));
});
