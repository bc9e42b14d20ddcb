import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey, slotsOf } from '../src/account-key.ts';

const SUBSCRIPTION = '00000000-0000-0000-0000-00000000000a';
const accountId = (group: string, name: string): string =>
  `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.CognitiveServices/accounts/${name}`;

test('an account has one key however its ARM id is spelled, and no two accounts share one', () => {
  const key = accountKey(accountId('Team (one)', 'Speech.eu'));
  assert.equal(key, `${SUBSCRIPTION}:team (one):speech.eu`);
  assert.equal(
    accountKey(accountId('TEAM (ONE)', 'speech.EU').replace('/resourceGroups', '/resourcegroups')),
    key,
  );
  assert.notEqual(accountKey(accountId('a', 'b-c')), accountKey(accountId('a-b', 'c')));
  assert.ok(!/[/\\#?]/.test(key));
});

test('slots are found by the account, and by the name only where nothing stands under the account', () => {
  const resource = { name: 'speech', accountId: accountId('a', 'b') };
  const slots = (generation: number) => ({ generation, retiring: undefined, epoch: 0 });
  const old = ['speech', slots(1)] as const;
  assert.equal(slotsOf(new Map([old]), resource)?.generation, 1);
  assert.equal(slotsOf(new Map([old, [accountKey(resource.accountId), slots(2)]]), resource)?.generation, 2);
  assert.equal(slotsOf(new Map(), resource), undefined);
});
