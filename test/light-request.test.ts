import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Request as LightRequest } from '../src/light-request.ts';

const URLS = ['http://host/oauth2/token', 'https://host:7071/a%20b?c=d'];
const HEADERS: Record<string, string>[] = [
  {},
  {
    'content-type': 'application/x-www-form-urlencoded',
    Authorization: 'Bearer x',
    'x-forwarded-for': '1, 2',
  },
];

const methods = fc.constantFrom('POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'post', 'patch');
const bodies = fc.oneof(
  fc.constant(undefined),
  fc.string().map((text) => Buffer.from(text)),
  fc.constant(Buffer.from('\ufeff{"a":1}')),
  fc.constant(Buffer.from('{"ä":"€"}')),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.string(),
);
const members = ['method', 'url', 'bodyUsed', 'headers'] as const;
const readers = ['text', 'json', 'arrayBuffer', 'blob', 'formData', 'clone'] as const;
type Asked = (typeof members)[number] | (typeof readers)[number];

test('whatever a request is asked, in any order, it answers as the global Request does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...URLS),
      methods,
      fc.constantFrom(...HEADERS),
      bodies,
      fc.array(fc.constantFrom<Asked>(...members, ...readers), { minLength: 1, maxLength: 5 }),
      async (url, method, headers, body, asked) => {
        const init = { method, headers, body } as RequestInit & { method: string };
        const light = new LightRequest(url, init);
        const usual = new Request(url, init);
        for (const what of asked) assert.deepEqual(await said(light, what), await said(usual, what), what);
      },
    ),
    { numRuns: 500 },
  );
});

test('a method or a header that the global Request refuses is refused', () => {
  for (const init of [
    { method: 'TRACE' },
    { method: 'a b' },
    { method: 'POST', headers: { a: '\n\u0000' } },
  ]) {
    assert.throws(() => new Request('http://host/', init), TypeError);
    assert.throws(() => new LightRequest('http://host/', init), TypeError);
  }
});

test('a body that is a stream is handed on as it is', async () => {
  const body = new ReadableStream({
    start: (stream) => {
      stream.enqueue(new TextEncoder().encode('streamed'));
      stream.close();
    },
  });
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit & { method: string };
  assert.equal(await new LightRequest('http://host/', init).text(), 'streamed');
});

/** What came of it, in a form that can be compared. */
async function said(request: LightRequest | Request, asked: Asked): Promise<unknown> {
  try {
    switch (asked) {
      case 'headers':
        return [...request.headers];
      case 'arrayBuffer':
        return Buffer.from(await request.arrayBuffer()).toString('hex');
      case 'blob':
        return await (await request.blob()).text();
      case 'formData':
        return [...(await request.formData())];
      case 'clone':
        return await request.clone().text();
      case 'text':
        return await request.text();
      case 'json':
        return await request.json();
      default:
        return request[asked];
    }
  } catch (error) {
    return error instanceof Error ? error.name : error;
  }
}
