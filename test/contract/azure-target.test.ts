/** What the contract suite would do in a subscription, against an ARM that says yes to everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { azureTarget, type Surroundings } from './azure-target.ts';
import type { Answer, Request } from './target.ts';

const own = `e30.${Buffer.from(JSON.stringify({ tid: 'tenant', oid: 'person' })).toString('base64url')}.`;
function fake(answerTo: (request: Request, path: string) => { status: number; body?: object }) {
  const calls: string[] = [];
  const surroundings: Surroundings = {
    subscription: 'sub',
    location: 'westeurope',
    token: async () => own,
    sleep: async () => undefined,
    say: () => undefined,
    send: async (request): Promise<Answer> => {
      const path = new URL(request.url).pathname.replaceAll(/brokercontract[0-9a-f]{8}/g, 'NAME');
      calls.push(`${request.method} ${path}`);
      const { status, body = {} } = answerTo(request, path);
      return { status, headers: new Headers(), text: JSON.stringify(body), body: { ...body } };
    },
  };
  return { calls, surroundings };
}
const GROUP = '/subscriptions/sub/resourceGroups/NAME';

test('everything is made in one resource group of its own, and is removed and purged afterwards', async () => {
  let isGone = false;
  const { calls, surroundings } = fake(({ method }, path) => {
    if (method === 'DELETE' && path === GROUP) isGone = true;
    return { status: isGone && method === 'GET' && path === GROUP ? 404 : 200 };
  });
  {
    await using target = await azureTarget(surroundings);
    assert.equal(target.isReal, true);
  }
  const changes = calls.filter((call) => !call.startsWith('GET '));
  const outside = changes.filter((call) => !call.includes(GROUP) && !call.includes('/secrets/contract'));
  assert.deepEqual(outside, [
    'POST /subscriptions/sub/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/NAME/purge',
    'DELETE /subscriptions/sub/providers/Microsoft.CognitiveServices/locations/westeurope/resourceGroups/NAME/deletedAccounts/NAME',
  ]);
  assert.ok(changes.indexOf(`DELETE ${GROUP}`) > changes.findLastIndex((call) => call.startsWith('PUT ')));
});

test('what was made is removed also where the rest cannot be made', async () => {
  let isGone = false;
  const { calls, surroundings } = fake(({ method }, path) => {
    if (method === 'DELETE' && path === GROUP) isGone = true;
    if (isGone && method === 'GET' && path === GROUP) return { status: 404 };
    return path.includes('Microsoft.KeyVault/vaults')
      ? { status: 403, body: { error: { code: 'AuthorizationFailed' } } }
      : { status: 200 };
  });
  await assert.rejects(azureTarget(surroundings), /403 AuthorizationFailed/);
  assert.ok(calls.includes(`DELETE ${GROUP}`));
});
