import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { TokenCredential } from '@azure/core-auth';
import { BrokerCredential } from '../../src/client/credential.ts';
import { startFakeBroker } from './fake-broker.ts';

let broker: Awaited<ReturnType<typeof startFakeBroker>>;
before(async () => {
  broker = await startFakeBroker();
});
after(() => broker.close());

it('is a TokenCredential whose times are those of the clock on the wall', async () => {
  const credential: TokenCredential = new BrokerCredential({
    issuer: broker.issuer,
    getCallerToken: () => 'caller-token',
    resource: 'chat',
    random: () => 0,
  });
  const before = Date.now();
  const token = await credential.getToken('https://cognitiveservices.azure.com/.default');
  const within = (timestamp: number | undefined, seconds: number) =>
    assert(Math.abs((timestamp ?? 0) - before - seconds * 1000) < 2_000, `${timestamp}`);
  assert.equal(token?.token, 'token-1');
  within(token?.expiresOnTimestamp, 600);
  within(token?.refreshAfterTimestamp, 480);
  assert.equal((await credential.getToken([]))?.token, 'token-1');
});

it('hands a claims challenge to the one who signs the caller in', async () => {
  const challenges: (string | undefined)[] = [];
  const credential = new BrokerCredential({
    issuer: broker.issuer,
    getCallerToken: (claims) => {
      challenges.push(claims);
      return 'caller-token';
    },
    resource: 'chat',
  });
  const first = await credential.getToken([]);
  const second = await credential.getToken([], { claims: 'challenge' });
  assert.notEqual(first.token, second.token);
  assert.deepEqual(challenges, [undefined, 'challenge']);
});

it('makes one exchange for a thousand who call getToken at once', async () => {
  broker.asked.length = 0;
  const credential = new BrokerCredential({
    issuer: broker.issuer,
    getCallerToken: () => 'caller-token',
    resource: 'chat',
  });
  const tokens = await Promise.all(Array.from({ length: 1_000 }, () => credential.getToken([])));
  assert.equal(new Set(tokens.map(({ token }) => token)).size, 1);
  assert.equal(broker.asked.length, 1);
});

it('ends the wait where the SDK aborts it', async () => {
  broker.answers(() => new Promise(() => undefined));
  const credential: TokenCredential = new BrokerCredential({
    issuer: broker.issuer,
    getCallerToken: () => 'caller-token',
    resource: 'chat',
  });
  const aborts = new AbortController();
  const token = credential.getToken([], { abortSignal: aborts.signal });
  aborts.abort();
  await assert.rejects(token, { name: 'AbortError' });
});
