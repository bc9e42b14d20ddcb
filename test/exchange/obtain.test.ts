import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createObtain, type ObtainPorts } from '../../src/exchange/obtain.ts';
import type { Wanted } from '../../src/exchange/tokens.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { IssuedRecord } from '../../src/ports.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { samplePolicy } from '../policy/sample.ts';
import { aCaller, NOW_MS } from './caller.ts';

const source = samplePolicy();
source.resources.push({
  ...source.resources[2],
  name: 'language',
  accountId: String(source.resources[2]?.['accountId']).replace('vision', 'language'),
  endpoint: 'https://language.example',
  identity: { kind: 'userAssigned', clientId: '00000000-0000-4000-8000-00000000001d' },
});
const policy = loadPolicy(JSON.stringify(source));
const caller = aCaller({ kind: 'user', token: new Secret('user-token') });

function wanted(name: string, kind: Wanted['kind']): Wanted {
  const resource = policy.resources.find((one) => one.name === name);
  assert.ok(resource);
  return { resource, kind, endpoint: resource.endpoint, caller };
}

function world(bend: Partial<ObtainPorts> = {}) {
  const calls: string[] = [];
  const records: IssuedRecord[] = [];
  const token = (text: string) => ({ token: new Secret(text), expiresAtMs: NOW_MS + 600_000 });
  const buy = createObtain({
    vault: {
      current: async (secret) => {
        calls.push(`vault ${secret}`);
        return {
          version: 'v1',
          value: new Secret('key'),
          tags: { slot: 'Key2' },
          enabled: true,
          createdAtMs: 0,
          expiresAtMs: undefined,
        };
      },
      read: () => Promise.reject(new Error('no version is named')),
    },
    sts: {
      issue: async (host) => {
        calls.push(`sts ${host}`);
        return token('sts');
      },
    },
    ledger: { declare: async () => undefined, latestExpiryMs: async () => 0 },
    slotsNow: async () => ({ generation: 4, retiring: undefined, epoch: 2 }),
    entra: {
      byApplication: async (scope) => {
        calls.push(`application ${scope}`);
        return token('application');
      },
      byManagedIdentity: async (scope, clientId) => {
        calls.push(`identity ${clientId} ${scope}`);
        return token('identity');
      },
      onBehalfOf: async (scope, user) => {
        calls.push(`user ${user.reveal()} ${scope}`);
        return token('user');
      },
    },
    issued: {
      record: async (record) => {
        records.push(record);
      },
      find: async () => undefined,
    },
    clock: () => NOW_MS,
    sleep: () => Promise.reject(new Error('nothing to wait for')),
    instance: 'i-1',
    ...bend,
  });
  return { calls, records, buy };
}
const SCOPE = 'https://cognitiveservices.azure.com/.default';

test('each kind is obtained in its own way', async () => {
  const { calls, buy } = world();
  await buy(wanted('speech', 'sts'));
  await buy(wanted('speech', 'entra'));
  await buy(wanted('vision', 'entra'));
  await buy(wanted('language', 'entra'));
  await buy(wanted('chat', 'obo'));
  assert.deepEqual(calls, [
    'vault speech-key',
    'sts https://speech.example',
    `application ${SCOPE}`,
    `identity undefined ${SCOPE}`,
    `identity 00000000-0000-4000-8000-00000000001d ${SCOPE}`,
    `user user-token ${SCOPE}`,
  ]);
});

test('every token is on record before it can be handed out: by its fingerprint, never its text', async () => {
  const { records, buy } = world();
  const sts = await buy(wanted('speech', 'sts'));
  const obo = await buy(wanted('chat', 'obo'));
  assert.ok('token' in sts && 'token' in obo);
  assert.deepEqual([sts.slot, sts.epoch, sts.generation], ['Key2', 2, 4]);
  assert.deepEqual(records, [
    {
      sha256: sts.token.sha256,
      resource: 'speech',
      tokenKind: 'sts',
      epoch: 2,
      user: undefined,
      issuedAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 600_000,
    },
    {
      sha256: obo.token.sha256,
      resource: 'chat',
      tokenKind: 'obo',
      epoch: undefined,
      user: { tenantId: caller.tenantId, objectId: caller.objectId },
      issuedAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 600_000,
    },
  ]);
});

test('without the record there is no token', async () => {
  const { buy } = world({
    issued: {
      record: () => Promise.reject(new UpstreamFailure('tables', 'is down')),
      find: async () => undefined,
    },
  });
  await assert.rejects(buy(wanted('speech', 'entra')), UpstreamFailure);
});

test("Entra's refusal of a user is passed on, and nothing is recorded", async () => {
  const refusal = { refused: 'interaction_required', claims: '{}' } as const;
  const plain = world();
  const { records, buy } = world({
    entra: {
      byApplication: () => Promise.reject(new Error('not asked')),
      byManagedIdentity: () => Promise.reject(new Error('not asked')),
      onBehalfOf: async () => refusal,
    },
  });
  assert.equal(await buy(wanted('chat', 'obo')), refusal);
  assert.deepEqual([records, plain.records], [[], []]);
});
