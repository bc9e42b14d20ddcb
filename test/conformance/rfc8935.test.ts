import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonOf } from './serve.ts';
import { receiver, token } from './signals.ts';

test('section 2.2: success is 202 with an empty body', async () => {
  await using set = await receiver();
  const answer = await set.push(token());
  assert.equal(answer.status, 202);
  assert.equal(await answer.text(), '');
});

test('section 2: a duplicate is answered as the first was', async () => {
  await using set = await receiver();
  const one = token();
  for (let time = 0; time < 3; time += 1) assert.equal((await set.push(one)).status, 202);
  assert.equal(set.world.bumps, 1);
});

test('section 2.1: the media type is application/secevent+jwt', async () => {
  await using set = await receiver();
  const answer = await set.push(token(), { 'content-type': 'application/json' });
  assert.equal(answer.status, 400);
  assert.equal((await jsonOf(answer))['err'], 'invalid_request');
});

test('section 2.3: failure is 400, application/json, with `err`, `description` and Content-Language', async () => {
  await using set = await receiver();
  const answer = await set.push('not a token');
  assert.equal(answer.status, 400);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.ok(answer.headers.get('content-language'));
  const body = await jsonOf(answer);
  assert.deepEqual(Object.keys(body).sort(), ['description', 'err']);
});

test('section 2.4: each failure by its code', async () => {
  await using set = await receiver();
  assert.equal(await set.refuses('not a token'), 'invalid_request');
  assert.equal(await set.refuses(token({}, { kid: 'unknown' })), 'invalid_key');
  assert.equal(await set.refuses(token({ iss: 'https://evil.example.test/' })), 'invalid_issuer');
  assert.equal(await set.refuses(token({ aud: 'https://other.example.test' })), 'invalid_audience');
  const [header, payload] = token().split('.');
  assert.equal(await set.refuses(`${header}.${payload}.${'A'.repeat(342)}`), 'authentication_failed');
  const elsewhere = {
    format: 'iss_sub',
    iss: 'https://sts.windows.net/88888888-aaaa-4bbb-8ccc-dddddddddddd/',
    sub: 'x',
  };
  assert.equal(await set.refuses(token({ sub_id: elsewhere })), 'access_denied');
});

test('section 2.2: acknowledged means kept: what we could not write is not acknowledged', async () => {
  await using set = await receiver();
  set.world.down.add('tables');
  const answer = await set.push(token());
  assert.equal(answer.status, 503);
  assert.ok(answer.headers.get('retry-after'));
});
