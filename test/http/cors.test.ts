import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCors } from '../../src/http/cors.ts';
import { request } from './requests.ts';

const APP = 'https://app.example';
const cors = createCors([APP, 'http://localhost:3000']);
const headersOf = ({ headers }: { headers?: unknown }) => headers as Record<string, string>;
const never = () => assert.fail('asked');
const answer = async () => ({ status: 400, headers: { 'cache-control': 'no-store' } });

describe('a browser’s preflight', () => {
  it('is told what an allowed origin may send, without cookies', async () => {
    const preflight = request('OPTIONS', '/oauth2/token', { headers: { origin: APP } });
    const { status, headers } = await cors('POST', preflight, never);
    assert.equal(status, 204);
    assert.deepEqual(headers, {
      vary: 'Origin',
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type, traceparent',
      'access-control-max-age': '7200',
    });
  });
  it('of any other origin is told nothing', async () => {
    for (const origin of [
      'https://app.example.evil',
      'https://APP.example',
      'http://app.example',
      `${APP}/`,
      'null',
      '*',
    ])
      for (const list of [cors, createCors([])]) {
        const preflight = request('OPTIONS', '/oauth2/token', { headers: { origin } });
        assert.deepEqual(
          await list('POST', preflight, never),
          { status: 204, headers: { vary: 'Origin' } },
          origin,
        );
      }
  });
});

describe('an answer', () => {
  it('can be read by a page of an allowed origin, refusals and when to come again too', async () => {
    const { status, headers } = await cors(
      'POST',
      request('POST', '/', { headers: { origin: APP } }),
      answer,
    );
    assert.equal(status, 400);
    assert.deepEqual(headers, {
      'cache-control': 'no-store',
      vary: 'Origin',
      'access-control-allow-origin': APP,
      'access-control-expose-headers': 'retry-after, www-authenticate',
    });
  });
  it('is the same for everybody else, and no cache may mix the two up', async () => {
    for (const headers of [{}, { origin: 'https://evil.example' }] as Record<string, string>[]) {
      const answered = await cors('POST', request('POST', '/', { headers }), answer);
      assert.deepEqual(headersOf(answered), { 'cache-control': 'no-store', vary: 'Origin' });
    }
  });
  it('is untouched where no origin is allowed', async () => {
    const asked = request('POST', '/', { headers: { origin: APP } });
    assert.deepEqual(await createCors([])('POST', asked, answer), await answer());
  });
});
