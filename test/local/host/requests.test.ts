import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seen } from './app/seen.ts';
import { type Answer, ask, askRaw, startTestHost } from './running.ts';

let host: Awaited<ReturnType<typeof startTestHost>>;
before(async () => {
  host = await startTestHost();
});
after(() => host.close());

const get = (path: string, headers: string[] = []) => ask(host.url, path, { headers });
const echoed = async (path: string, options: Parameters<typeof ask>[2] = {}) =>
  JSON.parse((await ask(host.url, path, options)).body);
const isEmpty404 = ({ status, body, headers }: Answer) => {
  assert.deepEqual([status, body, headers['content-length']], [404, '', '0']);
};

describe('which function answers', () => {
  it('is none for a wrong method: 404, never 405', async () => {
    for (const method of ['DELETE', 'OPTIONS', 'PATCH']) isEmpty404(await ask(host.url, '/echo', { method }));
    isEmpty404(await ask(host.url, '/form', { method: 'HEAD' }));
  });
  it('is none for an unknown route or a double slash', async () => {
    isEmpty404(await get('/unknown'));
    isEmpty404(await get('//echo'));
    isEmpty404(await get('/shape//json'));
  });
  it('does not depend on the case of the path or a slash at its end', async () => {
    assert.equal((await get('/ECHO/')).status, 200);
    assert.equal((await get('/Shape/json/')).body, '{"a":1}');
  });
  it('is the first by name in the alphabet, a literal not preferred', async () => {
    assert.equal((await get('/order/literal')).body, 'a, a parameter');
  });
  it('is found by the method as one more constraint', async () => {
    assert.equal((await get('/by-method/x')).body, 'get');
    assert.equal((await ask(host.url, '/by-method/x', { method: 'PUT' })).body, 'put');
  });
  it('is not the second of two functions with one route and a common method', async () => {
    assert.equal((await get('/same')).body, 'first');
    isEmpty404(await ask(host.url, '/same', { method: 'PUT' }));
    assert.ok(!host.functions.some(({ name }) => name === 'same-2'));
  });
  it('is none whose route or name is under admin or runtime', async () => {
    isEmpty404(await get('/admin/mine'));
    isEmpty404(await get('/adminish'));
  });
  it('takes GET and POST where it names no methods', async () => {
    for (const method of ['GET', 'POST'])
      assert.equal((await ask(host.url, '/user', { method })).status, 200);
    isEmpty404(await ask(host.url, '/user', { method: 'PUT' }));
  });
  it('is found after dot segments are resolved and the path is decoded once', async () => {
    assert.equal((await get('/shape/x/../json')).body, '{"a":1}');
    assert.equal((await get('/sh%61pe/json')).body, '{"a":1}');
    isEmpty404(await get('/shape%2Fjson'));
  });

  const matches: [string, string, object | undefined][] = [
    ['alpha', 'abC', { v: 'abC' }],
    ['alpha', 'ab1', undefined],
    ['int', '-12', { v: '-12' }],
    ['int', '1x', undefined],
    ['length', 'ab', { v: 'ab' }],
    ['length', 'abcd', undefined],
    ['regex', 'ab', { v: 'ab' }],
    ['regex', 'abc', undefined],
    ['guid', '3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01', { v: '3f6f2c9e-5d1b-4c7a-9e42-8a1d0b7c5e01' }],
    ['guid', '3f6f2c9e', undefined],
    ['default', 'given', { v: 'given' }],
    ['default', '', { v: 'fallback' }],
    ['rest', 'a/b/c', { v: 'a/b/c' }],
    ['rest', '', {}],
    ['mixed', 'name.ext', { v: 'name', w: 'ext' }],
    ['mixed', 'name', undefined],
  ];
  for (const [constraint, text, params] of matches)
    it(`${params ? 'takes' : 'refuses'} '${text}' under the constraint ${constraint}`, async () => {
      const answer = await get(`/c/${constraint}/${text}`);
      if (params) assert.deepEqual(JSON.parse(answer.body), params);
      else isEmpty404(answer);
    });
  it('is none with a constraint that is not known, and the rest runs', () => {
    assert.ok(host.lines.some((line) => /unknown-constraint.*in error.*prime/.test(line)));
  });
});

describe('what the host answers itself', () => {
  it('is its page at the root, where no function has that route', async () => {
    const { status, headers } = await get('/');
    assert.deepEqual([status, headers['content-type']], [200, 'text/html']);
  });
  it('is 414 for a long query, 431 for large headers, 400 for a NUL, no host or a wrong one', async () => {
    assert.equal((await get(`/echo?q=${'x'.repeat(9000)}`)).status, 414);
    assert.equal((await get('/echo', ['X-Large', 'x'.repeat(33_000)])).status, 431);
    assert.equal((await get('/echo/a%00b')).status, 400);
    assert.match(await askRaw(host.url, 'GET /echo HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 400/);
    assert.match(
      await askRaw(host.url, 'GET /echo HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1.1 400/,
    );
  });
  it('has the headers of Kestrel and those of host.json, on errors too', async () => {
    for (const path of ['/shape/json', '/shape/throws', '/unknown']) {
      const { headers } = await get(path);
      assert.deepEqual([headers['server'], headers['x-custom']], ['Kestrel', 'on every response']);
      assert.ok(!Number.isNaN(Date.parse(headers['date'] ?? '')));
    }
  });
  it('is 429 with X-FUNCTION-SCALEOUT above maxOutstandingRequests', async () => {
    const held = [1, 2, 3, 4].map(() => get('/wait'));
    while (seen.waiting.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    const { status, body, headers } = await get('/wait');
    assert.deepEqual([status, body, headers['x-function-scaleout']], [429, '', '1']);
    for (const go of seen.waiting.splice(0)) go();
    assert.deepEqual(
      (await Promise.all(held)).map((each) => each.status),
      [200, 200, 200, 200],
    );
    assert.equal((await get('/echo')).status, 200);
  });
  it('is an empty 500 for a body of 101 MiB, and the function for one of 100', async () => {
    const mebibyte = 1024 * 1024;
    const head = `POST /shape/json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: `;
    assert.match(await askRaw(host.url, `${head}${101 * mebibyte}\r\n\r\n`), /^HTTP\/1.1 500.*\r\n\r\n$/s);
    const full = await ask(host.url, '/shape/json', { method: 'POST', body: Buffer.alloc(100 * mebibyte) });
    assert.equal(full.status, 200);
  });
});

describe('what a function sees', () => {
  it('is a URL with the host that the caller named, and not the forwarded one', async () => {
    const answer = await askRaw(
      host.url,
      'GET /echo?q=a%20b HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: other\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n',
    );
    assert.match(answer, /"url":"http:\/\/evil\.example\/echo\?q=a%20b"/);
  });
  it('is params decoded once: plus, %2F and what is no UTF-8 stay', async () => {
    const names: [string, string][] = [
      ['a%20b', 'a b'],
      ['a+b', 'a+b'],
      ['a%2Fb', 'a%2Fb'],
      ['%zz', '%zz'],
      ['%2520', '%20'],
      ['Gr%C3%BC%C3%9Fe', 'Grüße'],
    ];
    for (const [sent, seenName] of names) {
      assert.deepEqual((await echoed(`/echo/${sent}`)).params, { name: seenName });
    }
    assert.deepEqual((await echoed('/echo')).params, {});
  });
  it('is a query whose repeated keys, in any case, are joined under the first name', async () => {
    assert.deepEqual((await echoed('/echo?a=1&b=x+y&A=2&a=%333')).query, { a: '1,2,33', b: 'x y' });
  });
  it('is headers in lower case, repeated ones joined by a comma alone, Authorization too', async () => {
    const { headers } = await echoed('/echo', {
      headers: ['Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b', 'X-Many', '1', 'x-many', '2'],
    });
    assert.equal(headers.authorization, 'Bearer a,Bearer b');
    assert.equal(headers['x-many'], '1,2');
  });
  it('is no body at all where it came in chunks', async () => {
    assert.equal((await echoed('/echo', { method: 'POST', body: 'abc', chunked: true })).body, '');
  });
  it('is no body of a GET', async () => {
    assert.equal((await echoed('/echo', { method: 'GET', body: 'abc' })).body, '');
  });
  it('is the bytes as they were sent, whatever they are', async () => {
    for (const type of [[], ['Content-Type', 'text/plain'], ['Content-Type', 'application/json']]) {
      for (const body of [Buffer.from([0, 255, 128, 10]), Buffer.from('plain'), Buffer.from('Grüße')]) {
        const seenBody = (await echoed('/echo', { method: 'POST', body, headers: type })).body;
        assert.equal(seenBody, body.toString('base64'));
      }
    }
  });
  it('has no content type where the caller sent none', async () => {
    assert.equal((await echoed('/echo', { method: 'POST', body: 'abc' })).headers['content-type'], undefined);
  });
  it('is a form, urlencoded or multipart, and JSON whatever its content type', async () => {
    const post = (path: string, type: string, body: string) =>
      ask(host.url, path, { method: 'POST', headers: ['Content-Type', type], body });
    assert.equal(
      (await post('/form', 'application/x-www-form-urlencoded', 'a=1&b=x+y')).body,
      '{"a":"1","b":"x y"}',
    );
    const part = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n';
    assert.equal((await post('/form', 'multipart/form-data; boundary=x', part)).body, '{"a":"1"}');
    assert.equal((await post('/json', 'text/plain', '{"a":1}')).body, '{"a":1}');
    const bad = await post('/json', 'application/json', '{');
    assert.deepEqual([bad.status, bad.body], [500, '']);
  });
  it('is a user that anybody can claim to be', async () => {
    const principal = Buffer.from(JSON.stringify({ claims: [] })).toString('base64');
    const claimed = await get('/user', [
      ...['X-MS-Client-Principal', principal, 'X-MS-Client-Principal-Id', '1'],
      ...['X-MS-Client-Principal-Name', 'anybody', 'X-MS-Client-Principal-Idp', 'aad'],
    ]);
    assert.equal(JSON.parse(claimed.body).user.username, 'anybody');
    assert.equal((await get('/user', ['X-MS-Client-Principal', 'nonsense'])).body, '{"user":null}');
  });
  it('is an empty trace context even where the caller sent one, and an id that is a GUID', async () => {
    const { traceContext, invocationId } = await echoed('/echo', {
      headers: ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    });
    assert.deepEqual(traceContext, { traceParent: '', traceState: '', attributes: {} });
    assert.match(invocationId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});

describe('what becomes of an answer', () => {
  const answers: [string, number, string, string | undefined][] = [
    ['undefined', 204, '', undefined],
    ['null', 204, '', undefined],
    ['string', 500, '', undefined],
    ['number', 500, '', undefined],
    ['true', 500, '', undefined],
    ['object', 200, '', undefined],
    ['array', 200, '', undefined],
    ['bodyText', 200, 'Grüße', 'text/plain;charset=UTF-8'],
    ['bodyObject', 200, '[object Object]', 'text/plain;charset=UTF-8'],
    ['json', 200, '{"a":1}', 'application/json'],
    ['jsonNull', 200, '', undefined],
    ['buffer', 200, '\u0000\u0001\ufffd', undefined],
    ['stream', 200, 'streamed', undefined],
    ['statusText', 201, '', undefined],
    ['status0', 500, '', undefined],
    ['status100', 500, '', undefined],
    ['status999', 500, '', undefined],
    ['status204', 204, '', undefined],
    ['status304', 304, '', undefined],
    ['throws', 500, '', undefined],
    ['rejects', 500, '', undefined],
    ['umlaut', 500, '', undefined],
  ];
  for (const [shape, status, body, type] of answers)
    it(`is ${status} ${body && `'${body}'`} for ${shape}`, async () => {
      const answer = await get(`/shape/${shape}`);
      assert.deepEqual([answer.status, answer.body, answer.headers['content-type']], [status, body, type]);
    });
  it('has its length 0 or comes in chunks', async () => {
    assert.equal((await get('/shape/object')).headers['content-length'], '0');
    const { headers } = await get('/shape/json');
    assert.deepEqual([headers['transfer-encoding'], headers['content-length']], ['chunked', undefined]);
  });
  it('is headers only for HEAD', async () => {
    const answer = await ask(host.url, '/shape/json', { method: 'HEAD' });
    assert.deepEqual(
      [answer.status, answer.body, answer.headers['content-type']],
      [200, '', 'application/json'],
    );
  });
  it('tells why it failed to the log alone', async () => {
    await get('/shape/throws');
    assert.ok(
      host.lines.some((line) => line.includes("'Functions.shape' (Failed)") && line.includes('the reason')),
    );
  });
  it('keeps only the last of several Set-Cookie headers, and joins others', async () => {
    const { headers } = await get('/shape/setCookies');
    assert.equal(headers['set-cookie'], 'b=2');
    assert.equal(headers['x-twice'], '1, 2');
  });
  it('gives each cookie a path, and drops an expiry at the epoch', async () => {
    const { headers } = await get('/shape/cookies');
    assert.deepEqual(headers['set-cookie']?.split('\n'), [
      'a=x%20y; path=/',
      'b=2; expires=Tue, 01 Jan 2030 00:00:00 GMT; max-age=5; path=/p; secure',
      'c=3; domain=example.test; path=/; samesite=strict; httponly',
    ]);
  });
  it('passes on a wrong Content-Length', async () => {
    const answer = await askRaw(
      host.url,
      'GET /shape/wrongLength HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.match(answer, /content-length: 2\r\n/i);
  });
});
