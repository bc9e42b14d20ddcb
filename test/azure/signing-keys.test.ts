import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createSigningKeys } from '../../src/azure/signing-keys.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { type Answered, type Asked, startUpstream } from './upstream-server.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const { n, e } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const jwk = (kid: string, rest: object = {}) => ({
  kty: 'RSA',
  use: 'sig',
  kid,
  n,
  e,
  issuer: 'https://login/{tenantid}/v2.0',
  ...rest,
});

async function world(published: object[] = [jwk('a')]) {
  const state = { nowMs: NOW_MS, published, jwksUri: undefined as string | undefined };
  const upstream = await startUpstream(({ path }: Asked): Answered => {
    if (path.endsWith('/.well-known/openid-configuration')) {
      const jwks_uri = state.jwksUri ?? `${upstream.url}${path.replace(/\/(v2\.0\/)?\.well.*/, '/keys')}`;
      return { status: 200, body: { issuer: `issuer of ${path}`, jwks_uri } };
    }
    return { status: 200, body: { keys: state.published } };
  });
  const keys = createSigningKeys(upstream.url, () => state.nowMs);
  const fetches = (): number => upstream.asked.filter(({ path }) => path.endsWith('/keys')).length;
  return { state, upstream, keys, fetches, [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose]() };
}

test('keys come from the metadata of the tenant and version, with the issuer that the metadata says', async () => {
  await using w = await world();
  const found = await w.keys.find(TENANT, '2.0', 'a');
  assert.equal(found?.issuer, `issuer of /${TENANT}/v2.0/.well-known/openid-configuration`);
  assert.equal(found?.keyIssuer, 'https://login/{tenantid}/v2.0');
  const old = await w.keys.find(TENANT, '1.0', 'a');
  assert.equal(old?.issuer, `issuer of /${TENANT}/.well-known/openid-configuration`);
});

test('a thousand tokens, and a thousand at once, cost one fetch', async () => {
  await using w = await world();
  await Promise.all(Array.from({ length: 500 }, () => w.keys.find(TENANT, '2.0', 'a')));
  for (let left = 500; left > 0; left -= 1) await w.keys.find(TENANT, '2.0', 'a');
  assert.equal(w.fetches(), 1);
});

test('a flood of made-up key ids costs one fetch in five minutes', async () => {
  await using w = await world();
  await w.keys.find(TENANT, '2.0', 'a');
  const flood = async (): Promise<void> => {
    const found = await Promise.all(
      Array.from({ length: 300 }, (_, index) => w.keys.find(TENANT, '2.0', `made-up-${index}`)),
    );
    assert.ok(found.every((key) => key === undefined));
    for (let left = 20; left > 0; left -= 1) await w.keys.find(TENANT, '2.0', `again-${left}`);
  };
  await flood();
  assert.equal(w.fetches(), 2);
  w.state.nowMs += 299_999;
  await flood();
  assert.equal(w.fetches(), 2);
  w.state.nowMs += 1;
  await flood();
  assert.equal(w.fetches(), 3);
});

test('a flood on a cold instance costs one fetch to begin with', async () => {
  await using w = await world();
  await Promise.all(
    Array.from({ length: 300 }, (_, index) => w.keys.find(TENANT, '2.0', `made-up-${index}`)),
  );
  assert.equal(w.fetches(), 1);
});

test('a rollover is followed at once: the new key is found, the old one is gone', async () => {
  await using w = await world();
  await w.keys.find(TENANT, '2.0', 'a');
  w.state.published = [jwk('b')];
  assert.ok(await w.keys.find(TENANT, '2.0', 'b'));
  assert.equal(await w.keys.find(TENANT, '2.0', 'a'), undefined);
});

test('keys are refreshed hourly behind the callers, so that a withdrawn key is noticed', async () => {
  await using w = await world([jwk('a'), jwk('b')]);
  await w.keys.find(TENANT, '2.0', 'a');
  w.state.published = [jwk('b')];
  w.state.nowMs += 3_600_000;
  assert.ok(await w.keys.find(TENANT, '2.0', 'a'), 'served while it is refreshed');
  for (let left = 100; left > 0 && w.fetches() < 2; left -= 1) await wait(5);
  await wait(20);
  assert.equal(await w.keys.find(TENANT, '2.0', 'a'), undefined);
});

test('an outage is invisible for a day where keys are held, then it is an outage; and it ends when it ends', async () => {
  await using w = await world();
  await w.keys.find(TENANT, '2.0', 'a');
  const sound = w.upstream.answer;
  w.upstream.answer = () => 'drops';
  w.state.nowMs += 24 * 3_600_000 - 1;
  assert.ok(await w.keys.find(TENANT, '2.0', 'a'));
  w.state.nowMs += 1;
  await assert.rejects(w.keys.find(TENANT, '2.0', 'a'), UpstreamFailure);
  w.upstream.answer = sound;
  w.state.nowMs += 1_000;
  assert.ok(await w.keys.find(TENANT, '2.0', 'a'));
});

test('during an outage an unknown key id is an outage, not a verdict, and no storm of fetches', async () => {
  await using w = await world();
  await w.keys.find(TENANT, '2.0', 'a');
  w.upstream.answer = () => ({ status: 400 });
  const before = w.upstream.asked.length;
  for (let left = 50; left > 0; left -= 1)
    await assert.rejects(w.keys.find(TENANT, '2.0', `made-up-${left}`), UpstreamFailure);
  assert.equal(w.upstream.asked.length - before, 1);
});

test('keys on another host are not fetched', async () => {
  await using elsewhere = await startUpstream(() => ({ status: 200, body: { keys: [jwk('a')] } }));
  await using w = await world();
  w.state.jwksUri = `${elsewhere.url}/keys`;
  await assert.rejects(w.keys.find(TENANT, '2.0', 'a'), UpstreamFailure);
  assert.equal(elsewhere.asked.length, 0);
});

test('garbage for keys is an outage', async () => {
  await using w = await world();
  for (const answer of [
    { status: 200, body: '<html>' },
    { status: 200, body: { issuer: 'x', jwks_uri: 'not a url' } },
    { status: 200, body: {} },
    { status: 404 },
  ]) {
    w.upstream.answer = () => answer;
    await assert.rejects(w.keys.find(TENANT, '2.0', 'a'), UpstreamFailure);
    w.state.nowMs += 1_000;
  }
});

test('keys for encryption, of other kinds or without id are left out; an empty set is an outage', async () => {
  await using w = await world([
    jwk('enc', { use: 'enc' }),
    { kty: 'EC', kid: 'ec', crv: 'P-256' },
    { kty: 'oct', kid: 'oct', k: 'c2VjcmV0' },
    { kty: 'RSA', n, e },
    jwk('a', { use: undefined }),
  ]);
  assert.ok(await w.keys.find(TENANT, '2.0', 'a'));
  for (const kid of ['enc', 'ec', 'oct', '']) assert.equal(await w.keys.find(TENANT, '2.0', kid), undefined);
  w.state.published = [];
  w.state.nowMs += 300_000;
  await assert.rejects(w.keys.find(TENANT, '2.0', 'x'), UpstreamFailure);
});
