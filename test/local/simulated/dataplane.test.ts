import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, { AzureOpenAI } from 'openai';
import { findOperation } from '../../../src/local/simulated/dataplane-operations.ts';
import { type Answer, send, startWorld, tokenOf, type World } from './accounts-world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

const aiAudience = 'https://cognitiveservices.azure.com';
const entra = (who: string, audience = aiAudience) => ({
  Authorization: `Bearer ${tokenOf(who, audience)}`,
});
const byKey = (name: string) => ({ 'Ocp-Apim-Subscription-Key': world.key(name, 'Key1') });
const hello = [{ Text: 'hello' }];

/** One call that each kind of account can do. */
const calls: Record<string, (headers: Record<string, string>) => Promise<Answer>> = {
  speech: (headers) => send('GET', `${world.host('speech')}/tts/cognitiveservices/voices/list`, headers),
  translator: (headers) =>
    send('POST', `${world.host('translator')}/translator/text/v3.0/translate?to=de`, headers, hello),
  chat: (headers) => send('GET', `${world.host('chat')}/openai/models?api-version=2024-10-21`, headers),
  vision: (headers) =>
    send(
      'POST',
      `${world.host('vision')}/computervision/imageanalysis:analyze?api-version=2024-02-01&features=caption`,
      headers,
      { url: 'https://example.test/a.png' },
    ),
  language: (headers) =>
    send('POST', `${world.host('language')}/language/:analyze-text?api-version=2023-04-01`, headers, {
      kind: 'LanguageDetection',
      analysisInput: { documents: [{ id: '1', text: 'hello' }] },
    }),
  documents: (headers) =>
    send('GET', `${world.host('documents')}/documentintelligence/info?api-version=2024-11-30`, headers),
};

for (const [name, call] of Object.entries(calls)) {
  test(`${name} serves a key and an Entra token with a role, and refuses every other credential`, async () => {
    assert.equal((await call(byKey(name))).status, 200);
    assert.equal((await call(entra('app'))).status, 200);
    assert.equal((await call({})).status, 401);
    assert.equal(
      (await call({ 'Ocp-Apim-Subscription-Key': world.key('chat', 'Key1').toLowerCase() })).status,
      401,
    );
    assert.equal((await call({ Authorization: 'Bearer nonsense' })).status, 401);

    const wrongAudience = await call(entra('app', 'https://ai.azure.com'));
    assert.equal(wrongAudience.status, 401);
    assert.deepEqual(wrongAudience.json, {
      statusCode: 401,
      message:
        'Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.',
    });

    const noRole = await call(entra('stranger'));
    assert.equal(noRole.status, 401);
    assert.equal(noRole.json.error.code, 'PermissionDenied');
    assert.match(
      noRole.json.error.message,
      /^The principal `stranger` lacks the required data action `Micro/,
    );
  });
}

test('a role holds for its own kind of account only', async () => {
  assert.equal((await calls['speech']?.(entra('speaker')))?.status, 200);
  assert.equal((await calls['vision']?.(entra('speaker')))?.status, 401);
});

test('a regional host wants a custom subdomain for an Entra token', async () => {
  for (const name of ['speech', 'translator']) {
    const path = name === 'speech' ? '/cognitiveservices/voices/list' : '/translate?api-version=3.0&to=de';
    const method = name === 'speech' ? 'GET' : 'POST';
    const answer = await send(
      method,
      world.host(name, 'regional') + path,
      entra('app'),
      method === 'POST' ? hello : undefined,
    );
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json, {
      error: {
        code: 'BadRequest',
        message: 'Please provide a custom subdomain for token authentication, otherwise API key is required.',
      },
    });
  }
});

test('regional Speech takes an Entra token behind aad# and its own resource id, and no other id', async () => {
  const voices = (id: string) =>
    send('GET', `${world.host('speech', 'regional')}/cognitiveservices/voices/list`, {
      Authorization: `Bearer aad#${id}#${tokenOf('speaker', aiAudience)}`,
    });
  assert.equal((await voices(world.account('speech').accountId)).status, 200);
  assert.equal((await voices(world.account('translator').accountId)).status, 401);
});

test('regional Translator takes an Entra token with the resource id and the region beside it', async () => {
  const translate = (headers: Record<string, string>) =>
    send(
      'POST',
      `${world.host('translator', 'regional')}/translate?api-version=3.0&to=de`,
      {
        ...entra('app'),
        ...headers,
      },
      hello,
    );
  const named = { 'Ocp-Apim-ResourceId': world.account('translator').accountId };
  assert.equal((await translate({ ...named, 'Ocp-Apim-Subscription-Region': 'westeurope' })).status, 200);
  assert.equal((await translate(named)).status, 400);
});

test('translate answers each text in each language, and its own numeric codes for a bad request', async () => {
  const url = `${world.host('translator')}/translate`;
  const good = await send('POST', `${url}?api-version=3.0&to=de&to=fr`, byKey('translator'), hello);
  assert.deepEqual(good.json, [
    {
      detectedLanguage: { language: 'en', score: 1 },
      translations: [
        { text: '[de] hello', to: 'de' },
        { text: '[fr] hello', to: 'fr' },
      ],
    },
  ]);
  const codes = await Promise.all(
    ['?to=de', '?api-version=3.0'].map((query) => send('POST', url + query, byKey('translator'), hello)),
  );
  assert.deepEqual(
    codes.map((answer) => [answer.status, answer.json.error.code]),
    [
      [400, 400021],
      [400, 400036],
    ],
  );
  const notJson = await send('POST', `${url}?api-version=3.0&to=de`, byKey('translator'), 'hello');
  assert.equal(notJson.json.error.code, 400074);
});

test('text to speech answers a wave file', async () => {
  const response = await fetch(`${world.host('speech', 'regional')}/cognitiveservices/v1`, {
    method: 'POST',
    headers: { ...byKey('speech'), 'Content-Type': 'application/ssml+xml' },
    body: '<speak version="1.0" xml:lang="de-DE"><voice name="de-DE-KatjaNeural">Hallo</voice></speak>',
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.headers.get('content-type'), 'audio/x-wav');
  assert.equal(bytes.toString('latin1', 0, 4), 'RIFF');
  assert.equal(bytes.readUInt32LE(4), bytes.length - 8);
});

test('a key-exchange token is no credential for a service without key exchange', async () => {
  const { text } = await send('POST', `${world.host('speech')}/sts/v1.0/issueToken`, byKey('speech'));
  const answer = await calls['vision']?.({ Authorization: `Bearer ${text}` });
  assert.equal(answer?.status, 401);
  assert.match(
    answer?.json.message,
    /audience is incorrect \(urn:ms\.scopedToken or urn:ms\.faceSessionToken\)/,
  );
});

test('local authentication off refuses keys and still serves Entra tokens', async () => {
  world.accounts.configure('chat', { disableLocalAuth: true });
  const refused = await calls['chat']?.(byKey('chat'));
  const served = await calls['chat']?.(entra('app'));
  world.accounts.configure('chat', { disableLocalAuth: false });
  assert.equal(refused?.status, 403);
  assert.equal(refused?.json.error.code, 'AuthenticationTypeDisabled');
  assert.equal(served?.status, 200);
});

test('what an account cannot do is not found, and Azure OpenAI without api-version too', async () => {
  const url = world.host('chat');
  for (const path of ['/openai/models', '/translate?api-version=3.0&to=de', '/']) {
    const answer = await send('GET', url + path, { 'api-key': world.key('chat', 'Key1') });
    assert.equal(answer.status, 404, path);
    assert.deepEqual(answer.json, { error: { code: '404', message: 'Resource not found' } });
  }
});

test('the openai package gets its chat completion by key, by Entra token, and streamed', async () => {
  const messages = [{ role: 'user' as const, content: 'hello' }];
  const byToken = new OpenAI({
    baseURL: `${world.host('chat')}/openai/v1`,
    apiKey: tokenOf('app', aiAudience),
  });
  const answer = await byToken.chat.completions.create({ model: 'gpt-4o-mini', messages });
  assert.equal(answer.choices[0]?.message.content, 'You said: hello');

  const azure = new AzureOpenAI({
    endpoint: world.host('chat'),
    apiKey: world.key('chat', 'Key2'),
    apiVersion: '2024-10-21',
    deployment: 'gpt-4o-mini',
  });
  const again = await azure.chat.completions.create({ model: 'gpt-4o-mini', messages });
  assert.equal(again.choices[0]?.message.content, 'You said: hello');

  let streamed = '';
  const stream = await byToken.chat.completions.create({ model: 'gpt-4o-mini', messages, stream: true });
  for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? '';
  assert.equal(streamed, 'You said: hello');

  const stranger = new OpenAI({
    baseURL: `${world.host('chat')}/openai/v1`,
    apiKey: tokenOf('stranger', aiAudience),
    maxRetries: 0,
  });
  await assert.rejects(stranger.chat.completions.create({ model: 'gpt-4o-mini', messages }), { status: 401 });
});

test('every use is logged under ai with the client behind it, never the token', async () => {
  await calls['language']?.(entra('app'));
  const entry = world.requests('ai').at(-1);
  assert.deepEqual(
    [entry?.operation, entry?.resource, entry?.status, entry?.by, entry?.keyFingerprint],
    ['analyzeText', 'language', 200, 'client-of-app', undefined],
  );
  assert.ok(!JSON.stringify(world.requests('ai')).includes('entra|'));
});

test('a deleted account serves nobody', async () => {
  const key = byKey('documents');
  world.accounts.remove('documents');
  assert.equal((await calls['documents']?.(key))?.status, 404);
  assert.equal((await calls['documents']?.(entra('app')))?.status, 404);
});

test('an account of several services has the calls of each, and every rotated kind the one that proves a key', () => {
  const name = (kind: string, path: string) => findOperation(kind, 'GET', path)?.name;
  assert.equal(name('AIServices', '/openai/models'), 'listModels');
  assert.equal(
    name('AIServices', '/tts/cognitiveservices/voices/list'),
    name('SpeechServices', '/tts/cognitiveservices/voices/list'),
  );
  assert.equal(name('AIServices', '/vision/v3.2/models'), 'listModels');
  assert.equal(name('ContentSafety', '/contentsafety/text/blocklists'), 'listTextBlocklists');
  assert.equal(name('OpenAI', '/vision/v3.2/models'), undefined);
});
