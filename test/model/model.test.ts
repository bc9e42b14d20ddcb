/**
 * The two protocols that everything rests on, in every order of instances, the rotator, an operator and one crash. The processes run the product's own code; only the world that answers them is a model.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore } from './explore.ts';
import { type HeadMutation, headModel } from './head-bump.ts';
import { type MintMutation, mintModel } from './mint-ledger.ts';

for (const third of ['another instance', 'an operator'] as const)
  test(`no token lives that was bought with a slot when the slot is regenerated: ${third}`, async (context) => {
    const startedAt = performance.now();
    let regenerated = 0;
    let bought = 0;
    const { states, violation } = await explore(mintModel(third), (world) => {
      regenerated += Number(world.regenerated.length > 0);
      bought += Number(world.handedOut.length > 0);
    });
    assert.equal(violation, undefined, violation?.trace.join('\n'));
    assert.ok(regenerated > 0 && bought > 0, 'the search reaches what it is about');
    context.diagnostic(`mint ledger: ${states} states in ${seconds(startedAt)} s`);
  });

test('no exchange that began after a revocation had returned is granted', async (context) => {
  const startedAt = performance.now();
  let granted = 0;
  let refused = 0;
  const { states, violation } = await explore(headModel(), (world) => {
    granted += world.granted;
    refused += world.refused;
  });
  assert.equal(violation, undefined, violation?.trace.join('\n'));
  assert.ok(granted > 0 && refused > 0, 'the search reaches what it is about');
  context.diagnostic(`head bump: ${states} states in ${seconds(startedAt)} s`);
});

const MINT: readonly MintMutation[] = [
  'no second look at the slots',
  'no bump before the ledger is read',
  'no publication before the ledger is read',
];
for (const mutation of MINT)
  test(`minting with ${mutation} is found`, async () => {
    const { violation } = await explore(mintModel('another instance', mutation));
    assert.match(violation?.what ?? 'nothing was found', /bought/);
  });

const HEAD: readonly HeadMutation[] = [
  'no final look at the head',
  'the bump before the write',
  'no bump where nothing was changed',
];
for (const mutation of HEAD)
  test(`revoking and exchanging with ${mutation} is found`, async () => {
    const { violation } = await explore(headModel(mutation));
    assert.match(violation?.what ?? 'nothing was found', /had returned was granted/);
  });

function seconds(startedAt: number): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}
