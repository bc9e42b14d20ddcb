import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountKey } from '../../src/account-key.ts';
import { nameOf } from '../../src/demand/named.ts';

const id = (name: string): string =>
  `/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`;
const resources = [
  { name: 'new-name', accountId: id('one') },
  { name: 'old-name', accountId: id('two') },
];

test('a demand is for its account, whatever that and others are called when it is carried out', () => {
  assert.equal(nameOf({ account: accountKey(id('one')), resource: 'old-name' }, resources), 'new-name');
  assert.equal(nameOf({ account: accountKey(id('gone')), resource: 'gone' }, resources), 'gone');
  assert.equal(nameOf({ resource: 'old-name' }, resources), 'old-name', 'a row of an older version');
});
