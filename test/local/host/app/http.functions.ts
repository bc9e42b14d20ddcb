/** An app that shows what its functions see, and answers as it is asked to. */
import { app, type HttpResponseInit } from '@azure/functions';
import { seen } from './seen.ts';

/** Says what arrived. */
app.http('echo', {
  route: 'echo/{name?}',
  methods: ['GET', 'HEAD', 'POST', 'PUT'],
  handler: async (request, context) => {
    const bytes = Buffer.from(await request.arrayBuffer());
    return {
      jsonBody: {
        method: request.method,
        url: request.url,
        params: request.params,
        query: Object.fromEntries(request.query),
        headers: Object.fromEntries(request.headers),
        body: bytes.toString('base64'),
        invocationId: context.invocationId,
        traceContext: context.traceContext,
      },
    };
  },
});
app.http('form', {
  methods: ['POST'],
  handler: async (request) => ({ jsonBody: Object.fromEntries((await request.formData()) as never) }),
});
app.http('json', { methods: ['POST'], handler: async (request) => ({ jsonBody: await request.json() }) });
app.http('user', { handler: (request) => Promise.resolve({ jsonBody: { user: request.user } }) });

/** What a handler may return; `shape` names one. */
const shapes: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  string: () => 'a text',
  number: () => 7,
  true: () => true,
  object: () => ({}),
  array: () => [],
  bodyText: () => ({ body: 'Grüße' }),
  bodyObject: () => ({ body: { a: 1 } }),
  json: () => ({ jsonBody: { a: 1 } }),
  jsonNull: () => ({ jsonBody: null }),
  buffer: () => ({ body: Buffer.from([0, 1, 255]) }),
  stream: () => ({ body: new Blob(['streamed']).stream() }),
  statusText: () => ({ status: '201' }),
  status0: () => ({ status: 0 }),
  status100: () => ({ status: 100 }),
  status999: () => ({ status: 999 }),
  status204: () => ({ status: 204, body: 'a body' }),
  status304: () => ({ status: 304 }),
  throws: () => {
    throw new Error('the reason');
  },
  rejects: () => Promise.reject(new Error('the reason')),
  setCookies: () => ({
    headers: [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Twice', '1'],
      ['X-Twice', '2'],
    ],
  }),
  cookies: () => ({
    cookies: [
      { name: 'a', value: 'x y', expires: 0 },
      {
        name: 'b',
        value: '2',
        path: '/p',
        expires: new Date('2030-01-01T00:00:00Z'),
        maxAge: 5,
        secure: true,
      },
      { name: 'c', value: '3', domain: 'example.test', httpOnly: true, sameSite: 'Strict' },
    ],
  }),
  wrongLength: () => ({ body: 'four', headers: { 'Content-Length': '2' } }),
  umlaut: () => ({ headers: { 'X-Name': 'Grüße' } }),
};
app.http('shape', {
  route: 'shape/{shape}',
  methods: ['GET', 'POST', 'HEAD'],
  handler: async (request) => shapes[String(request.params['shape'])]?.() as HttpResponseInit,
});

/** Waits until it is let go. */
app.http('wait', {
  handler: async () => {
    await new Promise<void>((resolve) => seen.waiting.push(resolve));
    return { body: 'done' };
  },
});
app.http('late', { handler: () => new Promise<HttpResponseInit>(() => undefined) });

/** Throws where no handler is. */
app.http('outside', {
  handler: () => {
    setImmediate(() => {
      throw new Error('outside a handler');
    });
    return new Promise<HttpResponseInit>(() => undefined);
  },
});

/** Two that match the same path: the alphabet decides, not the literal and not the order of declaration. */
app.http('order-b', { route: 'order/literal', handler: async () => ({ body: 'b, a literal' }) });
app.http('order-a', { route: 'order/{any}', handler: async () => ({ body: 'a, a parameter' }) });
app.http('method-a', { route: 'by-method/{any}', methods: ['PUT'], handler: async () => ({ body: 'put' }) });
app.http('method-b', { route: 'by-method/x', methods: ['GET'], handler: async () => ({ body: 'get' }) });
app.http('same-1', { route: 'same', methods: ['GET', 'POST'], handler: async () => ({ body: 'first' }) });
app.http('same-2', { route: 'SAME', methods: ['POST', 'PUT'], handler: async () => ({ body: 'second' }) });

app.http('reserved', { route: 'admin/mine', handler: async () => ({ body: 'mine' }) });
app.http('adminish', { handler: async () => ({ body: 'mine' }) });

for (const [name, route] of Object.entries({
  alpha: 'c/alpha/{v:alpha}',
  int: 'c/int/{v:int}',
  length: 'c/length/{v:length(2,3)}',
  regex: 'c/regex/{v:regex(^[ab]{{2}}$)}',
  guid: 'c/guid/{v:guid}',
  default: 'c/default/{v=fallback}',
  rest: 'c/rest/{*v}',
  mixed: 'c/mixed/{v}.{w}',
}))
  app.http(`constraint-${name}`, {
    route,
    handler: async (request) => ({ jsonBody: request.params }),
  });
app.http('unknown-constraint', { route: 'c/{v:prime}', handler: async () => ({ body: 'prime' }) });
