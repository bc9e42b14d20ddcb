/** Clients that know nothing of this broker: a stock OAuth client, the openai package, plain HTTP, and a page. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import {
  allowInsecureRequests,
  discovery,
  genericGrantRequest,
  None,
  ResponseBodyError,
} from 'openid-client';
import { type Stack, startStack } from './stack.ts';

/** The origin of the page. */
const APP = 'https://app.example';

let stack: Stack;
before(async () => {
  stack = await startStack([], { BROKER_CORS_ORIGINS: APP });
  await stack.warm();
});
after(() => stack[Symbol.asyncDispose]());

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** The library's own switch for http on loopback; nothing else is special. */
const discover = () =>
  discovery(new URL(stack.description.broker), 'any-client', undefined, None(), {
    algorithm: 'oauth2',
    execute: [allowInsecureRequests],
  });

test('openid-client discovers the metadata and does the exchange', async () => {
  const config = await discover();
  const answer = await genericGrantRequest(config, TOKEN_EXCHANGE, {
    subject_token: await stack.callerToken('captions'),
    subject_token_type: ACCESS_TOKEN,
    resource: 'speech',
  });
  assert.equal(answer.token_type, 'bearer');
  assert.equal(answer['issued_token_type'], ACCESS_TOKEN);
  assert.ok((answer.expiresIn() ?? 0) > 60);
});

test('openid-client understands a refusal', async () => {
  const config = await discover();
  await assert.rejects(
    genericGrantRequest(config, TOKEN_EXCHANGE, {
      subject_token: await stack.callerToken('captions'),
      subject_token_type: ACCESS_TOKEN,
      audience: 'chat',
    }),
    (error) => {
      assert.ok(error instanceof ResponseBodyError);
      assert.equal(error.error, 'invalid_target');
      return true;
    },
  );
});

test('the openai package completes a chat with a token from the broker', async () => {
  const answer = await stack.exchange(await stack.callerToken('ada'), 'chat');
  const openai = new OpenAI({
    apiKey: String(answer.body['access_token']),
    baseURL: `${answer.body['endpoint']}/openai/v1`,
    maxRetries: 0,
  });
  const completion = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'hello' }],
  });
  assert.ok(completion.choices[0]?.message.content);
  const stranger = new OpenAI({ apiKey: 'no-token', baseURL: openai.baseURL, maxRetries: 0 });
  await assert.rejects(
    stranger.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }),
    { status: 401 },
  );
});

test('plain HTTP translates with a key-exchange token', async () => {
  const answer = await stack.exchange(await stack.callerToken('translations'), 'translator');
  const translated = await fetch(
    `${answer.body['endpoint']}/translator/text/v3.0/translate?api-version=3.0&to=de`,
    {
      method: 'POST',
      headers: {
        authorization: `Bearer ${answer.body['access_token']}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify([{ Text: 'hello' }]),
    },
  );
  assert.equal(translated.status, 200, await translated.clone().text());
  const [first] = (await translated.json()) as { translations: { text: string }[] }[];
  assert.ok(first?.translations[0]?.text);
});

test('a page of an allowed origin gets a token after its preflight, and HEAD is answered where GET is', async () => {
  const { broker } = stack.description;
  for (const [path, method] of [
    ['/oauth2/token', 'POST'],
    ['/oauth2/revoke', 'POST'],
    ['/.well-known/oauth-authorization-server', 'GET'],
  ] as const) {
    const preflight = await fetch(`${broker}${path}`, {
      method: 'OPTIONS',
      headers: { origin: APP, 'access-control-request-method': method },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), APP);
    assert.equal(preflight.headers.get('access-control-allow-methods'), method);
    assert.equal(preflight.headers.get('access-control-allow-credentials'), null);
  }
  const subjectToken = await stack.callerToken('captions');
  const exchange = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: 'speech',
  });
  const form = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Bearer ${subjectToken}`,
  };
  const granted = await stack.post(exchange.toString(), { ...form, origin: APP });
  assert.equal(granted.status, 200);
  assert.equal(granted.headers.get('access-control-allow-origin'), APP);
  assert.equal(granted.headers.get('vary'), 'Origin');
  const other = await stack.post(exchange.toString(), { ...form, origin: 'https://evil.example' });
  assert.equal(other.headers.get('access-control-allow-origin'), null);

  for (const path of ['/.well-known/oauth-authorization-server', '/openapi.json', '/health']) {
    const head = await fetch(`${broker}${path}`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, ''], path);
    assert.equal(head.headers.get('content-type'), 'application/json');
  }
});
