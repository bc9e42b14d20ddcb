/** The simulated Microsoft Graph: what it answers to whom, and what it says has changed. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createDirectory } from '../../../src/azure/graph.ts';
import * as demo from '../../../src/local/simulated/demo-directory.ts';
import { readerIdentity } from '../../../src/local/simulated/demo-directory.ts';
import type { RunningAzure } from '../../../src/local/simulated/start.ts';
import { callerToken, control, identityToken, startTestAzure, type TestAzure } from './fabric-azure.ts';

const graph = 'https://graph.microsoft.com';
let stand: TestAzure;
let azure: RunningAzure;
let token: string;
before(async () => {
  stand = await startTestAzure();
  azure = stand.azure;
  token = (await identityToken(azure, graph, { client_id: azure.rotatorIdentity })).access_token;
});
after(() => stand.close());

interface Page {
  readonly value: Record<string, unknown>[];
  readonly '@odata.nextLink'?: string;
  readonly '@odata.deltaLink'?: string;
}
async function get(path: string, headers: Record<string, string> = {}, bearer = token) {
  const answer = await fetch(path.startsWith('https:') ? path : `${azure.graph}/v1.0${path}`, {
    headers: { authorization: `Bearer ${bearer}`, ...headers },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> & Page };
}
const ada = demo.callers.find(({ name }) => name === 'ada')?.objectId ?? '';
async function change(name: string, body: object): Promise<void> {
  assert.equal((await control(azure, 'PUT', `/users/${name}`, body)).status, 204);
}

suite('a user', () => {
  test('shows what revocation asks for only when it is selected', async () => {
    assert.deepEqual(
      (await get(`/users/${ada}?$select=id,accountEnabled,signInSessionsValidFromDateTime`)).body,
      {
        id: ada,
        accountEnabled: true,
        signInSessionsValidFromDateTime: '2026-01-01T00:00:00Z',
      },
    );
    assert.deepEqual((await get(`/users/ada@example.test`)).body, {
      id: ada,
      displayName: 'Ada Lovelace',
      userPrincipalName: 'ada@example.test',
    });
  });

  test('who is deleted or never was: 404 Request_ResourceNotFound', async () => {
    await change('ada', { deleted: true });
    for (const id of [ada, demo.tenantId]) {
      const { status, body } = await get(`/users/${id}`);
      assert.deepEqual([status, (body['error'] as { code: string }).code], [404, 'Request_ResourceNotFound']);
    }
    assert.deepEqual((await get(`/directory/deletedItems/${ada}`)).body, {
      '@odata.type': '#microsoft.graph.user',
      id: ada,
      displayName: 'Ada Lovelace',
      userPrincipalName: `${ada.replaceAll('-', '')}ada@example.test`,
    });
    assert.equal((await get(`/directory/deletedItems/${demo.tenantId}`)).status, 404);
    await change('ada', { deleted: false });
    assert.equal((await get(`/users/${ada}`)).status, 200);
    assert.equal((await get(`/directory/deletedItems/${ada}`)).status, 404);
  });

  test('ids and user principal names have no case', async () => {
    for (const name of ['ADA@Example.TEST', ada.toUpperCase()])
      assert.equal((await get(`/users/${name}`)).body['id'], ada);
  });

  test('groups of a user', async () => {
    const answer = await fetch(`${azure.graph}/v1.0/users/${ada}/getMemberObjects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ securityEnabledOnly: true }),
    });
    assert.deepEqual(await answer.json(), { value: [demo.researchers] });
  });

  test('a token for another API, of another tenant or without the permission is refused', async () => {
    const reader = await identityToken(azure, graph, { client_id: readerIdentity.clientId });
    const cases: [string, number, string][] = [
      ['', 401, 'InvalidAuthenticationToken'],
      ['nonsense', 401, 'InvalidAuthenticationToken'],
      [await callerToken(azure, 'captions'), 401, 'InvalidAuthenticationToken'],
      [await callerToken(azure, 'outsider', `${graph}/.default`), 401, 'InvalidAuthenticationToken'],
      [reader.access_token, 403, 'Authorization_RequestDenied'],
    ];
    for (const [bearer, status, code] of cases) {
      const answer = await get(`/users/${ada}`, {}, bearer);
      assert.deepEqual([answer.status, (answer.body['error'] as { code: string }).code], [status, code]);
    }
  });
});

suite('delta', () => {
  test('shows everyone page by page, then only what changed, then nothing', async () => {
    const small = { prefer: 'odata.maxpagesize=3' };
    const first = await get('/users/delta?$select=accountEnabled', small);
    assert.equal(first.body.value.length, 3);
    const second = await get(String(first.body['@odata.nextLink']), small);
    assert.equal(second.body.value.length, 2);
    const ids = [...first.body.value, ...second.body.value].map(({ id }) => id);
    assert.equal(new Set(ids).size, 5);
    const link = String(second.body['@odata.deltaLink']);
    assert.deepEqual((await get(link)).body.value, []);
    await change('grace', { accountEnabled: false });
    await change('hedy', { deleted: true });
    const third = await get(link);
    const [grace, hedy] = demo.users.slice(1);
    assert.deepEqual(third.body.value, [
      { id: grace?.objectId, accountEnabled: false },
      { id: hedy?.objectId, '@removed': { reason: 'changed' } },
    ]);
    assert.deepEqual((await get(String(third.body['@odata.deltaLink']))).body.value, []);
    assert.equal((await get(link)).body.value.length, 2, 'an older link still tells what came after it');
    await change('grace', { accountEnabled: true });
    await change('hedy', { deleted: false });
  });

  test('a link that is none of its own: 410, start over', async () => {
    const { status, body } = await get('/users/delta?$deltatoken=bm9uc2Vuc2U');
    assert.deepEqual([status, (body['error'] as { code: string }).code], [410, 'syncStateNotFound']);
  });

  test('groups: who is in the named ones, then who joined and who left', async () => {
    const filter = `$select=members&$filter=${encodeURIComponent(`id eq '${demo.researchers}'`)}`;
    const first = await get(`/groups/delta?${filter}`);
    const [all] = first.body.value;
    assert.equal(all?.['id'], demo.researchers);
    assert.ok(Array.isArray(all?.['members@delta']));
    assert.equal(all['members@delta'].length, 3);
    await change('ada', { groups: [] });
    const second = await get(String(first.body['@odata.deltaLink']));
    assert.deepEqual(second.body.value, [
      {
        id: demo.researchers,
        'members@delta': [
          { '@odata.type': '#microsoft.graph.user', id: ada, '@removed': { reason: 'deleted' } },
        ],
      },
    ]);
    await change('ada', { groups: [demo.researchers] });
    const third = await get(String(second.body['@odata.deltaLink']));
    assert.deepEqual(third.body.value[0]?.['members@delta'], [
      { '@odata.type': '#microsoft.graph.user', id: ada },
    ]);
  });
});

test("the broker's own adapter reads all of it", async () => {
  const directory = createDirectory(azure.graph, async () => token);
  assert.deepEqual(await directory.user('ada@example.test'), {
    objectId: ada,
    enabled: true,
    sessionsValidFromMs: Date.parse('2026-01-01T00:00:00Z'),
  });
  assert.equal(await directory.user(demo.tenantId), 'absent');
  const users = await directory.userChanges(undefined);
  const groups = await directory.groupChanges(undefined, [demo.researchers]);
  assert.ok(users !== 'expired' && groups !== 'expired');
  assert.deepEqual([users.items, users.more, groups.items, groups.more], [[], false, [], false]);
  await change('ada', { groups: [], signInSessionsValidFromDateTime: '2026-05-01T00:00:00Z' });
  const changed = await directory.userChanges(users.cursor);
  const left = await directory.groupChanges(groups.cursor, [demo.researchers]);
  assert.ok(changed !== 'expired' && left !== 'expired');
  assert.deepEqual(changed.items, [ada]);
  assert.deepEqual(left.items, [{ groupId: demo.researchers, deleted: false, removedMembers: [ada] }]);
  assert.equal(await directory.userChanges('?$deltatoken=none-of-ours'), 'expired');
});
