import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyProof } from '../../src/azure/key-proof.ts';
import { findOperation } from '../../src/local/simulated/dataplane-operations.ts';
import type { Sts } from '../../src/ports.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { resourceNamed } from '../rotation/world.ts';
import { type Answered, startUpstream } from './upstream-server.ts';

const key = new Secret('the-account-key');
const noSts: Sts = { issue: () => Promise.reject(new Error('no STS here')) };
const stsThat = (refuses: (host: string) => boolean, asked: string[] = []): Sts => ({
  issue: async (host) => {
    asked.push(host);
    return refuses(host) ? 'keyRefused' : { token: new Secret('token'), expiresAtMs: 0 };
  },
});
const speech = { ...resourceNamed('speech'), regionalEndpoint: 'https://westeurope.invalid' };

test('a key must be accepted at the own host and at the regional one: they are different gateways', async () => {
  const asked: string[] = [];
  assert.equal(await createKeyProof(stsThat(() => false, asked)).accepts(speech, key), true);
  assert.deepEqual(asked, ['https://speech.invalid', 'https://westeurope.invalid']);
  for (const host of asked) {
    assert.equal(await createKeyProof(stsThat((at) => at === host)).accepts(speech, key), false);
  }
});

test('accounts without a key exchange are asked for something cheap, the key in a header', async () => {
  const answers: [Answered, boolean | 'outage'][] = [
    [{ status: 200, body: { data: [] } }, true],
    [{ status: 401, body: { error: { code: '401' } } }, false],
    [{ status: 403, body: { error: { code: 'AuthenticationTypeDisabled' } } }, false],
    [{ status: 403, body: { error: { code: 'Forbidden', message: 'network' } } }, 'outage'],
    // The code decides, and no word of the message.
    [
      { status: 403, body: { error: { code: 'Forbidden', message: 'no AuthenticationTypeDisabled' } } },
      'outage',
    ],
    [{ status: 404 }, 'outage'],
    ['drops', 'outage'],
  ];
  for (const [answer, expected] of answers) {
    await using upstream = await startUpstream(() => answer);
    const chat = {
      ...resourceNamed('chat', {}, 'OpenAI'),
      tokenKinds: ['entra' as const],
      endpoint: upstream.url,
    };
    const accepted = await createKeyProof(noSts)
      .accepts(chat, key)
      .catch((error: unknown) => {
        assert.ok(error instanceof UpstreamFailure, String(error));
        assert.ok(!String(error.stack).includes(key.reveal()));
        return 'outage';
      });
    assert.equal(accepted, expected);
    assert.equal(upstream.asked[0]?.path, '/openai/models?api-version=2024-10-21');
    assert.equal(upstream.asked[0]?.headers['api-key'], key.reveal());
  }
});

test('a kind nobody knows how to ask cheaply is not covered, unless its keys can be exchanged', () => {
  const proof = createKeyProof(noSts);
  const face = { ...resourceNamed('face', {}, 'Face'), tokenKinds: ['entra' as const] };
  assert.equal(proof.covers(face), false);
  assert.equal(proof.covers({ ...face, tokenKinds: ['sts'] }), true);
  for (const kind of [
    'SpeechServices',
    'TextTranslation',
    'OpenAI',
    'AIServices',
    'FormRecognizer',
    'ComputerVision',
    'TextAnalytics',
    'ContentSafety',
  ]) {
    assert.equal(proof.covers({ ...face, kind }), true, kind);
  }
});

test('what is asked of an account is there on the simulated account of its kind', async () => {
  for (const kind of ['OpenAI', 'FormRecognizer', 'ComputerVision', 'TextAnalytics']) {
    await using upstream = await startUpstream(() => ({ status: 200, body: {} }));
    const account = {
      ...resourceNamed('some', {}, kind),
      tokenKinds: ['entra' as const],
      endpoint: upstream.url,
    };
    await createKeyProof(noSts).accepts(account, key);
    const path = new URL(upstream.asked[0]?.path ?? '', upstream.url).pathname;
    assert.ok(findOperation(kind, 'GET', path), `${kind} has no ${path}`);
  }
});
