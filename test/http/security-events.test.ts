import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createSecurityEventEndpoint } from '../../src/http/security-events.ts';
import { createWorld, signSet, type World } from '../revocation/fakes.ts';
import { sample } from '../revocation/samples.ts';
import { request } from './requests.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});
const SECEVENT = { 'content-type': 'application/secevent+jwt' };
const push = async (body: string, headers: Record<string, string> = SECEVENT) => {
  const answer = await createSecurityEventEndpoint(world.revocation.signal)(
    request('POST', '/signals', { body, headers }),
  );
  return { ...answer, headers: answer.headers as Record<string, string> };
};
const good = () => signSet(sample('33-set-caep-session-revoked-user'));

test('a good token: 202 with nothing in it, and in force by then', async () => {
  const { status, body, jsonBody } = await push(good());
  assert.deepEqual([status, body, jsonBody], [202, undefined, undefined]);
  assert.equal(world.bumps, 1);
});

test('parameters and case of the media type do not matter', async () => {
  assert.equal(
    (await push(good(), { 'content-type': 'Application/SecEvent+JWT; charset=utf-8' })).status,
    202,
  );
});

test('a refusal: 400, JSON with err and description, and the language of the description', async () => {
  for (const [body, headers, err] of [
    [good(), { 'content-type': 'application/jwt' }, 'invalid_request'],
    [good(), {}, 'invalid_request'],
    ['', SECEVENT, 'invalid_request'],
    [signSet(sample('65-bad-set-wrong-aud')), SECEVENT, 'invalid_audience'],
    [signSet(sample('33-set-caep-session-revoked-user'), 'stranger'), SECEVENT, 'authentication_failed'],
  ] as const) {
    const answer = await push(body, headers);
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['content-language'], 'en');
    const { err: given, description } = answer.jsonBody as Record<string, string>;
    assert.equal(given, err);
    assert.ok(description);
    assert.ok(sample('70-rfc8935-errors').some((known: { err: string }) => known.err === given));
  }
});

test('our outage is 503 with Retry-After, never 400: only then is it sent again', async () => {
  for (const service of ['tables', 'transmitter', 'head'] as const) {
    world = createWorld();
    world.down.add(service);
    const { status, headers } = await push(good());
    assert.equal(status, 503);
    assert.ok(Number(headers['retry-after']) > 0);
  }
});
