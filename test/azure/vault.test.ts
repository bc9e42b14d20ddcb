import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { SecretClient } from '@azure/keyvault-secrets';
import { createVault } from '../../src/azure/vault-writer.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startWorld, tokenOf, type World } from '../local/simulated/accounts-world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

function credentialOf(who: string) {
  const token = tokenOf(who, 'https://vault.azure.net');
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
}
const vault = (who = 'admin', url = world.vault) => createVault(url, credentialOf(who));
const inTheFuture = Date.UTC(2030, 0, 1);
const newName = () => `vault-${randomUUID()}`;

async function written(name: string, key: string, tags: Record<string, string> = {}): Promise<string> {
  const answer = await vault().write(name, new Secret(key), tags, inTheFuture);
  assert.ok(answer !== 'deleted');
  return answer.version;
}

test('a key is written with its tags and end, and read back with its version', async () => {
  const name = newName();
  const version = await written(name, 'the-key', { slot: 'Key1', fence: '7' });
  const current = await vault().current(name);
  assert.ok(typeof current === 'object');
  assert.equal(current.version, version);
  assert.equal(current.value.reveal(), 'the-key');
  assert.deepEqual({ ...current.tags }, { slot: 'Key1', fence: '7' });
  assert.equal(current.expiresAtMs, inTheFuture);
  assert.equal(current.enabled, true);
  assert.ok(!JSON.stringify(current).includes('the-key'));
});

test('the newest version is the current one; an older one is read by its name until it is disabled', async () => {
  const name = newName();
  const first = await written(name, 'first');
  const second = await written(name, 'second');
  const old = await vault().read(name, first);
  assert.ok(typeof old === 'object');
  assert.equal(old.value.reveal(), 'first');
  await vault().disable(name, first);
  assert.equal(await vault().read(name, first), 'disabled');
  const versions = await vault().versions(name);
  assert.deepEqual(
    versions.map(({ version, enabled }) => [version, enabled]).sort(),
    [
      [first, false],
      [second, true],
    ].sort(),
  );
});

test('more versions than a page holds are all listed', async () => {
  const name = newName();
  for (let count = 0; count < 27; count += 1) await vault().write(name, new Secret('key'), {}, inTheFuture);
  assert.equal((await vault().versions(name)).length, 27);
});

test('absent, disabled and soft-deleted are states and no errors', async () => {
  const name = newName();
  assert.equal(await vault().current(name), 'absent');
  const version = await written(name, 'key');
  await vault().disable(name, version);
  assert.equal(await vault().current(name), 'disabled');
  const admin = new SecretClient(world.vault, credentialOf('admin'), {
    disableChallengeResourceVerification: true,
  });
  await (await admin.beginDeleteSecret(name)).pollUntilDone();
  assert.equal(await vault().current(name), 'absent');
  assert.equal(await vault().write(name, new Secret('key'), {}, inTheFuture), 'deleted');
});

test('no permission is a failure with its status, and without the vault or the key in it', async () => {
  const name = newName();
  await vault().write(name, new Secret('the-key'), {}, inTheFuture);
  for (const run of [
    () => vault('nobody').current(name),
    () => vault('nobody').write(name, new Secret('the-key'), {}, inTheFuture),
  ]) {
    await assert.rejects(run(), (error: unknown) => {
      assert.ok(error instanceof UpstreamFailure);
      assert.deepEqual([error.service, error.status], ['keyvault', 403]);
      assert.ok(!String(error.stack).includes('the-key') && !String(error.stack).includes(world.vault));
      return true;
    });
  }
});

test('a vault that is not there is an outage', async () => {
  await assert.rejects(vault('admin', 'https://localhost:1').current('any'), (error: unknown) => {
    assert.ok(error instanceof UpstreamFailure);
    assert.deepEqual([error.service, error.status], ['keyvault', 0]);
    return true;
  });
});
