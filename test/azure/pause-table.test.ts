import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPauses } from '../../src/azure/pause-table.ts';
import { startAzurite } from './azurite.ts';

test('the latest word on a pause counts, also by a clock that is behind; a much older one and a broken row do not', async () => {
  await using azurite = await startAzurite();
  const pauses = createPauses(azurite.tables);
  const word = (paused: boolean, at: string) => ({ paused, by: 'olga', reason: 'maintenance', at });
  const now = async () => (await pauses.all()).get('account')?.paused;
  await pauses.say('account', word(true, '2026-11-26T10:00:30.000Z'));
  await pauses.say('account', word(true, '2026-11-26T10:00:30.000Z'));
  assert.equal(await now(), true);
  await pauses.say('account', word(false, '2026-11-26T10:00:00.000Z'));
  assert.equal(await now(), false, 'said later, by an instance whose clock is half a minute behind');
  await pauses.say('account', word(true, '2026-11-26T09:00:00.000Z'));
  assert.equal(await now(), false, 'a request of an hour ago that was told again');
  const table = await azurite.tables('state');
  await table.upsertEntity({ partitionKey: 'pause', rowKey: 'account', paused: 'yes' }, 'Replace');
  assert.equal(await now(), undefined);
});
