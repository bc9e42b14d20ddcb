import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { speechCredential } from '../../src/client/speech-credential.ts';
import { granted, startFakeBroker } from './fake-broker.ts';

let broker: Awaited<ReturnType<typeof startFakeBroker>>;
let nowMs: number;
before(async () => {
  broker = await startFakeBroker();
});
beforeEach(() => {
  broker.asked.length = 0;
  broker.answers((count) => granted(`token-${count}`));
  nowMs = 1_000_000;
});
after(() => broker.close());

const create = () =>
  speechCredential({
    issuer: broker.issuer,
    resource: 'speech',
    getCallerToken: () => 'caller-token',
    nowMs: () => nowMs,
    random: () => 0,
  });
const inSeconds = (seconds: number) => {
  nowMs += seconds * 1000;
};

test('an Entra token has the form in which Speech wants it, another one is as it is', async () => {
  assert.equal((await create().getToken()).token, 'token-1');
  broker.answers(() => granted('t', { token_kind: 'entra', speech_authorization: 'aad#id#t' }));
  assert.equal((await create().getToken()).token, 'aad#id#t');
});

test('recognizers that connect one after the other share a token', async () => {
  const credential = create();
  for (let connect = 0; connect < 10; connect += 1) {
    assert.equal((await credential.getToken()).token, 'token-1');
    inSeconds(40);
  }
  assert.equal(broker.asked.length, 1);
});

test('the SDK that connects again at once, since its token was refused, has another one, and one exchange is made', async () => {
  const credential = create();
  await credential.getToken();
  inSeconds(120);
  const tokens: string[] = [];
  // As it does: five tries, a moment apart.
  for (let tries = 0; tries < 5; tries += 1) {
    tokens.push((await credential.getToken()).token);
    inSeconds(0.2);
  }
  assert.deepEqual(tokens, ['token-1', 'token-2', 'token-2', 'token-2', 'token-2']);
  assert.equal(broker.asked.length, 2);
});

test('many recognizers that start together share the token that was just got', async () => {
  const credential = create();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => credential.getToken()));
  assert.deepEqual(new Set(tokens.map(({ token }) => token)), new Set(['token-1']));
  assert.equal(broker.asked.length, 1);
});
