import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createConsole } from '../../src/http/console.ts';

const FILES: Readonly<Record<string, string>> = {
  'files.json': '{"script":"main-A.js","style":"style-B.css"}',
  'main-A.js': 'script',
  'style-B.css': 'style',
};
let reads = 0;
const ports = {
  clientId: '00000000-0000-4000-8000-000000000001',
  authority: 'https://login.example/path',
  tenantId: 'tenant',
  scope: 'api://x/"><script>alert(1)</script>',
  read: async (name: string) => {
    reads += 1;
    return new TextEncoder().encode(FILES[name] ?? assert.fail(name));
  },
};
const request = (name: string, accept = '') =>
  ({ params: { name }, headers: new Headers({ 'accept-encoding': accept }) }) as never;
const headersOf = (answer: { headers?: unknown }) => new Headers(answer.headers as Record<string, string>);

test('the page may run its own script and talk to its broker and its authority, in no frame and with no unsafe', async () => {
  const answer = await createConsole(ports).page();
  const headers = headersOf(answer);
  assert.equal(
    headers.get('content-security-policy'),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' https://login.example; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
  assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
  assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.doesNotMatch(String(answer.body), /<script>/, 'a setting is text in the page');
});

test('what the page loads is read once and kept by browsers for good; another name is not there', async () => {
  const { asset, page } = createConsole(ports);
  reads = 0;
  const packed = await asset(request('main-A.js', 'br, gzip'));
  assert.equal(headersOf(packed).get('cache-control'), 'public, max-age=31536000, immutable');
  assert.equal(headersOf(packed).get('content-encoding'), 'gzip');
  assert.equal(gunzipSync(packed.body as Uint8Array).toString(), 'script');
  const plain = await asset(request('style-B.css'));
  assert.equal(headersOf(plain).get('content-encoding'), null);
  assert.equal(Buffer.from(plain.body as Uint8Array).toString(), 'style');
  await page();
  assert.equal(reads, 3);
  for (const name of ['files.json', '../policy.json', '..%2Fpolicy.json', '', '__proto__'])
    assert.equal((await asset(request(name))).status, 404, name);
});

test('without its registration there is no console, and what to set is said', async () => {
  const { asset, page } = createConsole({ ...ports, clientId: undefined });
  for (const answer of [await page(), await asset(request('main-A.js'))]) {
    assert.equal(answer.status, 404);
    assert.match(JSON.stringify(answer.jsonBody), /BROKER_CONSOLE_CLIENT_ID/);
  }
});
