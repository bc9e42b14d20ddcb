/** The simulated storage account refuses each identity what its roles do not hold, as Azure does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoleAssignment } from '../../../src/local/simulated/roles.ts';
import { createStorageGate } from '../../../src/local/simulated/storage-access.ts';
import { type StorageService, storageOperation } from '../../../src/local/simulated/storage-operation.ts';

const accountId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/st';
const at = (below: string) => `${accountId}/${below}`;
const tables = 'tableServices/default/tables';
const queues = 'queueServices/default/queues';
const containers = 'blobServices/default/containers';
const assignments: RoleAssignment[] = [
  { principalId: 'reader', role: 'Storage Table Data Reader', scope: at(`${tables}/audit`) },
  { principalId: 'writer', role: 'AI token broker row keeper', scope: at(`${tables}/state`) },
  { principalId: 'sender', role: 'Storage Queue Data Message Sender', scope: at(`${queues}/demands`) },
  { principalId: 'viewer', role: 'Storage Blob Data Reader', scope: at(`${containers}/proof`) },
  { principalId: 'closer', role: 'AI token broker proof appender', scope: at(`${containers}/proof`) },
  { principalId: 'worker', role: 'AI token broker queue worker', scope: at(`${queues}/demands`) },
];
let verifications = 0;
const verify = (token: string) => {
  verifications += 1;
  return token.startsWith('forged')
    ? ({ fault: 'signature' } as const)
    : { claims: { oid: token, appid: `app of ${token}`, exp: 1000 } };
};
const gate = (service: StorageService) =>
  createStorageGate(service, { verify, assignments: () => assignments, accountId, now: () => 999_000 });
const key = "(PartitionKey='p',RowKey='r')";

const cases: [who: string, service: StorageService, call: string, conditional: boolean, status: number][] = [
  ['reader', 'tables', `GET /a/audit${key}`, false, 200],
  ['reader', 'tables', 'GET /a/audit()', false, 200],
  ['reader', 'tables', 'POST /a/audit', false, 403],
  ['reader', 'tables', `DELETE /a/audit${key}`, false, 403],
  ['reader', 'tables', 'GET /a/auditors()', false, 403],
  ['reader', 'tables', 'GET /a/state()', false, 403],
  ['writer', 'tables', `PUT /a/state${key}`, true, 200],
  ['writer', 'tables', `MERGE /a/state${key}`, false, 200],
  ['writer', 'tables', `DELETE /a/state${key}`, false, 200],
  ['writer', 'tables', 'POST /a/audit', false, 403],
  ['writer', 'tables', 'POST /a/Tables', false, 403],
  ['writer', 'tables', 'POST /a/$batch', false, 403],
  ['sender', 'queues', 'POST /a/demands/messages?messagettl=1', false, 200],
  ['sender', 'queues', 'GET /a/demands/messages', false, 403],
  ['sender', 'queues', 'GET /a/demands/messages?peekonly=true', false, 403],
  ['sender', 'queues', 'DELETE /a/demands/messages/1?popreceipt=x', false, 403],
  ['sender', 'queues', 'DELETE /a/demands/messages', false, 403],
  ['sender', 'queues', 'PUT /a/demands/messages/1?popreceipt=x', false, 403],
  ['sender', 'queues', 'POST /a/events/messages', false, 403],
  ['worker', 'queues', 'GET /a/demands/messages?numofmessages=1', false, 200],
  ['worker', 'queues', 'DELETE /a/demands/messages/1?popreceipt=x', false, 200],
  ['worker', 'queues', 'PUT /a/demands/messages/1?popreceipt=x', false, 200],
  ['worker', 'queues', 'DELETE /a/demands', false, 403],
  ['viewer', 'blobs', 'GET /a/proof/day', false, 200],
  ['viewer', 'blobs', 'GET /a/proof?restype=container&comp=list', false, 200],
  ['viewer', 'blobs', 'GET /a/other/day', false, 403],
  ['viewer', 'blobs', 'PUT /a/proof/day', false, 403],
  ['viewer', 'blobs', 'PUT /a/proof/day?comp=appendblock', false, 403],
  ['viewer', 'blobs', 'DELETE /a/proof/day', false, 403],
  ['closer', 'blobs', 'PUT /a/proof/day', false, 200],
  ['closer', 'blobs', 'PUT /a/proof/day?comp=appendblock', false, 200],
  ['closer', 'blobs', 'PUT /a/proof/day?comp=metadata', false, 403],
  ['closer', 'blobs', 'PUT /a/proof/day?comp=blocklist', false, 403],
  ['closer', 'blobs', 'PUT /a/proof/day?comp=immutabilityPolicies', false, 403],
  ['closer', 'blobs', 'DELETE /a/proof/day', false, 403],
  ['closer', 'blobs', 'DELETE /a/proof?restype=container', false, 403],
  ['forged', 'tables', 'GET /a/audit()', false, 401],
];
for (const [who, service, call, isConditional, status] of cases)
  test(`${who}: ${call} is ${status}`, () => {
    const [method = '', url = ''] = call.split(' ');
    const access = gate(service)(`Bearer ${who}`, storageOperation(service, method, url, isConditional));
    assert.equal('status' in access ? access.status : 200, status);
    if (!('status' in access)) assert.equal(access.by, `app of ${who}`);
  });

test('an insert needs no more than add; what may only add cannot put over a row', () => {
  const [, add] = storageOperation('tables', 'POST', '/a/audit', false).dataActions;
  assert.match(String(add), /entities\/add\/action$/);
  const upsert = storageOperation('tables', 'PUT', `/a/audit${key}`, false).dataActions.at(-1);
  assert.equal(upsert?.length, 2, 'it needs update too');
});

test('no token, or a shared key, opens nothing; a token that has expired no more', () => {
  const operation = storageOperation('tables', 'GET', '/a/audit()', false);
  assert.deepEqual(gate('tables')(undefined, operation), {
    status: 401,
    code: 'NoAuthenticationInformation',
  });
  assert.deepEqual(gate('tables')('SharedKeyLite a:b', operation), {
    status: 403,
    code: 'KeyBasedAuthenticationNotPermitted',
  });
  const late = createStorageGate('tables', {
    verify,
    assignments: () => assignments,
    accountId,
    now: () => 1_000_000,
  });
  assert.deepEqual(late('Bearer reader', operation), { status: 401, code: 'InvalidAuthenticationInfo' });
});

test('a token is verified once', () => {
  const door = gate('tables');
  const before = verifications;
  for (let call = 0; call < 5; call += 1)
    door('Bearer reader', storageOperation('tables', 'GET', '/a/audit()', false));
  assert.equal(verifications, before + 1);
});
