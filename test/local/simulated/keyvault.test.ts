import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DefaultAzureCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { send, startWorld, tokenOf, type World } from './accounts-world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

const audience = 'https://vault.azure.net';
function clientOf(who: string): SecretClient {
  const credential = {
    getToken: async () => ({ token: tokenOf(who, audience), expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  return new SecretClient(world.vault, credential, {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
  });
}
const version = 'api-version=2025-07-01';
const raw = (method: string, path: string, who = 'admin', body?: unknown) =>
  send(method, `${world.vault}${path}`, { Authorization: `Bearer ${tokenOf(who, audience)}` }, body);
const days = (count: number) => count * 86_400_000;

describe('what the SDK sees, held to a real vault where CONTRACT_KEY_VAULT_URL names one', () => {
  const real = process.env['CONTRACT_KEY_VAULT_URL'];
  const client = () => (real ? new SecretClient(real, new DefaultAzureCredential()) : clientOf('admin'));
  const names: string[] = [];
  const newName = () => {
    const name = `contract-${randomUUID()}`;
    names.push(name);
    return name;
  };
  after(async () => {
    for (const name of names)
      await client()
        .beginDeleteSecret(name)
        .catch(() => undefined);
  });

  test('a version comes back with its value, tags, type and whole-second times', async () => {
    const name = newName();
    const expiresOn = new Date(Date.UTC(2030, 0, 1));
    const set = await client().setSecret(name, 'a', {
      tags: { slot: 'Key1' },
      contentType: 'text/x-key',
      expiresOn,
    });
    const got = await client().getSecret(name);
    assert.equal(got.value, 'a');
    assert.equal(got.properties.version, set.properties.version);
    assert.match(got.properties.version ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(got.properties.tags, { slot: 'Key1' });
    assert.equal(got.properties.contentType, 'text/x-key');
    assert.equal(got.properties.expiresOn?.getTime(), expiresOn.getTime());
    assert.equal(got.properties.enabled, true);
    assert.match(got.properties.recoveryLevel ?? '', /Recoverable/);
  });

  test('without a version the newest is read; an older one by its name', async () => {
    const name = newName();
    const first = await client().setSecret(name, 'first');
    const second = await client().setSecret(name, 'second');
    assert.equal((await client().getSecret(name)).value, 'second');
    assert.equal(
      (await client().getSecret(name, { version: first.properties.version ?? '' })).value,
      'first',
    );
    const versions = [];
    for await (const one of client().listPropertiesOfSecretVersions(name)) versions.push(one.version);
    assert.deepEqual(versions.sort(), [first.properties.version, second.properties.version].sort());
  });

  test('a disabled version is 403 SecretDisabled, and the current version is the newest all the same', async () => {
    const name = newName();
    await client().setSecret(name, 'first');
    const second = await client().setSecret(name, 'second');
    const updated = await client().updateSecretProperties(name, second.properties.version ?? '', {
      enabled: false,
    });
    assert.equal(updated.enabled, false);
    await assert.rejects(
      client().getSecret(name),
      (error: { statusCode: number; code: string; details: unknown }) => {
        assert.equal(error.statusCode, 403);
        assert.equal(error.code, 'Forbidden');
        assert.match(JSON.stringify(error.details), /SecretDisabled/);
        return true;
      },
    );
  });

  test('a secret or a version that is not there is 404 SecretNotFound', async () => {
    const name = newName();
    await assert.rejects(client().getSecret(name), { statusCode: 404, code: 'SecretNotFound' });
    await client().setSecret(name, 'a');
    await assert.rejects(client().getSecret(name, { version: '0'.repeat(32) }), {
      statusCode: 404,
      code: 'SecretNotFound',
    });
  });

  test('a deleted name is 409 until it is recovered, and then has its versions back', async () => {
    const name = newName();
    await client().setSecret(name, 'a');
    const deletion = await client().beginDeleteSecret(name);
    await deletion.pollUntilDone();
    await assert.rejects(client().getSecret(name), { statusCode: 404 });
    await assert.rejects(client().setSecret(name, 'b'), { statusCode: 409, code: 'Conflict' });
    const deleted = await client().getDeletedSecret(name);
    assert.ok(deleted.deletedOn instanceof Date && deleted.scheduledPurgeDate instanceof Date);
    const recovery = await client().beginRecoverDeletedSecret(name);
    await recovery.pollUntilDone();
    assert.equal((await client().getSecret(name)).value, 'a');
  });
});

test('a call without a token is challenged with the vault as resource', async () => {
  const answer = await send('PUT', `${world.vault}/secrets/n?api%2Dversion=2025-07-01`);
  assert.equal(answer.status, 401);
  assert.equal(
    answer.headers.get('www-authenticate'),
    `Bearer authorization="https://localhost:1/99999999-aaaa-4bbb-8ccc-dddddddddddd", resource="https://vault.azure.net"`,
  );
  assert.deepEqual(answer.json, {
    error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer or PoP token.' },
  });
});

test('a token for another audience is challenged again', async () => {
  const answer = await send('GET', `${world.vault}/secrets/speech-key/?${version}`, {
    Authorization: `Bearer ${tokenOf('issuer', 'https://management.azure.com')}`,
  });
  assert.equal(answer.status, 401);
  assert.match(answer.json.error.message, /^AKV10022/);
});

test('the api-version is required and must be a known one; its name may be percent-encoded', async () => {
  assert.equal((await raw('GET', '/secrets/speech-key')).json.error.code, 'BadParameter');
  assert.equal((await raw('GET', '/secrets/speech-key?api-version=6.0')).status, 400);
  assert.equal((await raw('GET', '/secrets/speech-key/?api%2Dversion=7.4')).status, 200);
});

test('the bundle is Key Vault’s: unix seconds, the id at this vault, the previous version', async () => {
  const first = await raw('PUT', `/secrets/bundle?${version}`, 'rotator', { value: 'a' });
  const second = await raw('PUT', `/secrets/bundle?${version}`, 'rotator', {
    value: 'b',
    attributes: { enabled: true, exp: 1_900_000_000 },
  });
  const id = first.json.id.split('/').at(-1);
  assert.equal(first.json.id, `${world.vault}/secrets/bundle/${id}`);
  assert.equal(first.json.previousVersion, undefined);
  assert.equal(second.json.previousVersion, id);
  assert.equal(second.json.attributes.exp, 1_900_000_000);
  assert.equal(second.json.attributes.created, Date.UTC(2026, 10, 22, 9) / 1000);
  const patched = await raw('PATCH', `/secrets/bundle/${id}?${version}`, 'rotator', {
    attributes: { enabled: false },
    tags: { x: 'y' },
  });
  assert.equal(patched.status, 200);
  assert.equal(patched.json.value, undefined);
  assert.deepEqual([patched.json.attributes.enabled, patched.json.tags], [false, { x: 'y' }]);
});

test('versions come in pages of at most 25, followed by nextLink', async () => {
  for (let i = 0; i < 30; i++) await raw('PUT', `/secrets/paged?${version}`, 'rotator', { value: `${i}` });
  const page = await raw('GET', `/secrets/paged/versions?${version}`);
  assert.equal(page.json.value.length, 25);
  assert.match(page.json.nextLink, /\$skiptoken|%24skiptoken/);
  const rest = await raw('GET', page.json.nextLink.slice(world.vault.length));
  assert.equal(rest.json.value.length, 5);
  assert.equal(rest.json.nextLink, null);
  assert.equal((await raw('GET', `/secrets/paged/versions?${version}&maxresults=26`)).status, 400);
  let count = 0;
  for await (const properties of clientOf('issuer').listPropertiesOfSecretVersions('paged')) {
    assert.equal(properties.enabled, true);
    count += 1;
  }
  assert.equal(count, 30);
});

test('the issuer reads and does not write; the rotator writes and does not delete; a stranger does nothing', async () => {
  assert.equal((await clientOf('issuer').getSecret('speech-key')).value, world.key('speech', 'Key1'));
  await assert.rejects(
    clientOf('issuer').setSecret('speech-key', 'x'),
    (error: { statusCode: number; details: unknown }) => {
      assert.equal(error.statusCode, 403);
      assert.match(JSON.stringify(error.details), /ForbiddenByRbac/);
      return true;
    },
  );
  await clientOf('rotator').setSecret('written', 'x');
  const refused = await raw('DELETE', `/secrets/written?${version}`, 'rotator');
  assert.equal(refused.status, 403);
  assert.equal(refused.json.error.innererror.code, 'ForbiddenByRbac');
  assert.match(refused.json.error.message, /appid=client-of-rotator;oid=rotator/);
  assert.equal((await raw('GET', `/secrets/speech-key?${version}`, 'stranger')).status, 403);
});

test('a new vault holds each account’s Key1 with the tags the rotation writes', async () => {
  const { properties, value } = await clientOf('issuer').getSecret('speech-key');
  const { fingerprint } = world.accounts.currentKey(world.account('speech'), 'Key1');
  assert.equal(value, world.key('speech', 'Key1'));
  assert.equal(properties.contentType, 'application/vnd.azure-ai-account-key');
  assert.deepEqual(properties.tags, {
    account: world.account('speech').accountId,
    slot: 'Key1',
    fingerprint,
    generation: '1',
    fence: '0',
  });
});

test('a new version is told to Event Grid with numbers for NBF and EXP, and null where there is none', async () => {
  const { json } = await raw('PUT', `/secrets/told?${version}`, 'rotator', {
    value: 'a',
    attributes: { exp: 1_900_000_000 },
  });
  const event = world.events.at(-1);
  assert.equal(event?.eventType, 'Microsoft.KeyVault.SecretNewVersionCreated');
  assert.equal(event?.subject, 'told');
  assert.deepEqual(event?.data, {
    Id: json.id,
    VaultName: 'kv-broker',
    ObjectType: 'Secret',
    ObjectName: 'told',
    Version: json.id.split('/').at(-1),
    NBF: null,
    EXP: 1_900_000_000,
  });
});

test('throttled with 429, Retry-After and code Throttled once the new versions of 10 s are used up', async () => {
  world.advance(60_000);
  const answers: Awaited<ReturnType<typeof raw>>[] = [];
  // The clock of this vault stands still, so they need not arrive together: twenty connections at a time.
  for (let from = 0; from < 301; from += 20) {
    const puts = Array.from({ length: Math.min(20, 301 - from) }, (_, i) =>
      raw('PUT', `/secrets/burst-${i}?${version}`, 'rotator', { value: 'a' }),
    );
    answers.push(...(await Promise.all(puts)));
  }
  assert.equal(answers.filter((answer) => answer.status === 200).length, 300);
  const refused = answers.find((answer) => answer.status !== 200);
  assert.deepEqual([refused?.status, refused?.json.error.code], [429, 'Throttled']);
  assert.match(refused?.headers.get('retry-after') ?? '', /^[1-9]$/);
  assert.equal((await raw('GET', `/secrets/burst-1?${version}`)).status, 200);
  world.advance(60_000);
});

test('values are on disk for the owner only, and there again after a kill', async () => {
  await clientOf('rotator').setSecret('kept', 'value', { tags: { a: 'b' } });
  assert.equal((await stat(join(world.folder, 'vault.json'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(world.folder, 'accounts.json'))).mode & 0o777, 0o600);
  world = await world.restart();
  const kept = await clientOf('issuer').getSecret('kept');
  assert.deepEqual([kept.value, kept.properties.tags], ['value', { a: 'b' }]);
});

test('near expiry is told once, 30 days before; expiry once, at the time; only of the current version', async () => {
  const exp = (from: number) => ({ attributes: { exp: Math.floor(from / 1000) } });
  const nowMs = Date.UTC(2026, 10, 22, 9, 2);
  await raw('PUT', `/secrets/old?${version}`, 'rotator', { value: 'a', ...exp(nowMs + days(31)) });
  await raw('PUT', `/secrets/old?${version}`, 'rotator', { value: 'b', ...exp(nowMs + days(400)) });
  await raw('PUT', `/secrets/dying?${version}`, 'rotator', { value: 'a', ...exp(nowMs + days(31)) });
  const told = () => {
    const from = world.events.length;
    world.keyVault.announceExpiries();
    world.keyVault.announceExpiries();
    return world.events
      .slice(from)
      .filter((event) => ['old', 'dying'].includes(event.subject))
      .map((event) => `${event.eventType} ${event.subject}`);
  };
  assert.deepEqual(told(), []);
  world.advance(days(2));
  assert.deepEqual(told(), ['Microsoft.KeyVault.SecretNearExpiry dying']);
  world.advance(days(30));
  assert.deepEqual(told(), ['Microsoft.KeyVault.SecretExpired dying']);
  assert.equal((await clientOf('issuer').getSecret('dying')).value, 'a', 'expiry is told, not enforced');
  world.advance(days(30));
  assert.deepEqual(told(), []);
});

test('the request log has operation, secret and caller, never a value', async () => {
  await clientOf('rotator').setSecret('logged', 'a-value-to-hide');
  const entries = world.requests('keyvault');
  const last = entries.at(-1);
  assert.deepEqual(
    [last?.operation, last?.resource, last?.status, last?.by],
    ['setSecret', 'logged', 200, 'client-of-rotator'],
  );
  assert.ok(!JSON.stringify(entries).includes('a-value-to-hide'));
});
