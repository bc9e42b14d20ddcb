/** `BROKER_TEST_EXAMPLES=write node --test test/http/openapi.test.ts` writes the document's examples anew. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { MAX_HOST_BODY_BYTES } from '../../src/body-limits.ts';
import { openApi } from '../../src/http/openapi.ts';
import { loadApp } from '../../src/local/host/app.ts';
import { startStack } from '../flows/stack.ts';
import { samplePolicy } from '../policy/sample.ts';
import { asExample } from './openapi-example.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Parameters<typeof z.fromJSONSchema>[0]> };
}
interface Operation {
  readonly responses: Record<
    string,
    { readonly content?: Record<string, { readonly schema: object; readonly example?: unknown }> }
  >;
}

it('the OpenAPI document names the routes that programs call, as the functions register them, and no other', async () => {
  const { registry, loadError } = await loadApp(
    fileURLToPath(new URL('../../functions/issuer', import.meta.url)),
    () => undefined,
  );
  assert.equal(loadError, undefined);
  const registered: string[] = [];
  for (const { metadata } of registry.functions.values())
    for (const binding of Object.values(metadata.bindings)) {
      const { type, route, methods } = binding as { type: string; route?: string; methods?: string[] };
      // The console is a page for people.
      if (type === 'httpTrigger' && !route?.startsWith('console'))
        registered.push(
          // HEAD says what GET says, and OPTIONS is the browser's own question.
          ...(methods ?? [])
            .filter((method) => method !== 'HEAD' && method !== 'OPTIONS')
            .map((method) => `${method} /${route ?? metadata.name}`),
        );
    }
  const { paths } = openApi() as unknown as Document;
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(documented.sort(), registered.sort());
});

describe('the answers of a running broker', async () => {
  const examples = new Map<string, unknown>();
  /**
   * Fails unless the document has this answer: its status, its media type, and its shape to the last member; and an
   * example of this shape, which is of an earlier run.
   */
  const assertDocumented = async (document: Document, route: string, response: Response): Promise<number> => {
    const [method = '', path = ''] = route.split(' ');
    const answer = document.paths[path]?.[method.toLowerCase()]?.responses[response.status];
    assert(answer, `${route} answered ${response.status}`);
    const text = await response.text();
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    if (answer.content === undefined) return response.status;
    const media = answer.content[type];
    assert(media, `${route} answered ${type}`);
    const name = Object.values(media.schema)[0]?.split('/').pop();
    const schema = z.fromJSONSchema(document.components.schemas[name] ?? {});
    const parsed = schema.safeParse(JSON.parse(text));
    assert(parsed.success, `${route} ${response.status}: ${parsed.error?.message}`);
    const key = `${route} ${response.status}`;
    if (!examples.has(key)) examples.set(key, asExample(JSON.parse(text)));
    if (process.env['BROKER_TEST_EXAMPLES'] !== 'write')
      assert(schema.safeParse(media.example).success, `the example of ${key} is of another shape`);
    return response.status;
  };

  it('are those of the document', { timeout: 60_000 }, async () => {
    await using stack = await startStack();
    const { broker } = stack.description;
    const document = (await (await fetch(`${broker}/openapi.json`)).json()) as Document;
    assert.equal(document.openapi, '3.1.0');
    const bearer = async (name: string) => ({ authorization: `Bearer ${await stack.callerToken(name)}` });
    const [captions, operator, auditor, publisher] = [
      await bearer('captions'),
      await bearer('operator'),
      await bearer('auditor'),
      await bearer('publisher'),
    ];
    const inForce = await fetch(`${broker}/operator/policy`, { headers: publisher });
    const etag = inForce.headers.get('etag') ?? '';
    const { policy } = (await inForce.json()) as { policy: { grants: { name: string }[] } };
    const grants = policy.grants.filter(({ name }) => name !== 'nightly');
    const change = JSON.stringify({ policy: { ...policy, grants }, reason: 'the nightly job has ended' });
    const noPolicy = JSON.stringify({ policy: { ...policy, tenants: [] }, reason: 'x' });
    const back = (version: string) => JSON.stringify({ version, reason: 'it runs again' });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const exchange = 'grant_type=urn:ietf:params:oauth:grant-type:token-exchange&resource=';
    const exchanged = await stack.exchange(captions.authorization.slice('Bearer '.length), 'speech');
    const token = `token=${exchanged.body['access_token']}`;
    const scope = { kind: 'resource', name: 'documents' };

    const captionsNow = stack.description.callers.find(({ name }) => name === 'captions');
    const described = {
      caller: {
        kind: 'application',
        tenantId: captionsNow?.tenantId,
        clientId: captionsNow?.clientId,
        objectId: captionsNow?.objectId,
      },
      resource: 'chat',
    };
    const ada = stack.description.callers.find(({ name }) => name === 'ada');
    const byName = {
      scope: { kind: 'user', tenantId: ada?.tenantId, objectId: ada?.username },
      reason: 'x',
    };
    const at = new Date().toISOString();
    const unknownId = '0af7651916cd43dd8448eb211c80319c';
    const asked: [route: string, status: number, init: RequestInit][] = [
      ['POST /oauth2/token', 200, { headers: { ...form, ...captions }, body: `${exchange}speech` }],
      ['POST /oauth2/token', 400, { headers: { ...form, ...captions }, body: `${exchange}chat` }],
      ['POST /operator/explain', 200, { headers: auditor, body: JSON.stringify(described) }],
      [
        'POST /operator/explain',
        404,
        { headers: auditor, body: JSON.stringify({ correlationId: unknownId, at }) },
      ],
      ['POST /operator/explain', 400, { headers: auditor, body: '{}' }],
      [
        'POST /operator/what-if',
        200,
        { headers: auditor, body: JSON.stringify({ policy: samplePolicy(), from: at, to: at }) },
      ],
      [
        'POST /operator/what-if',
        422,
        { headers: auditor, body: JSON.stringify({ policy: {}, from: at, to: at }) },
      ],
      ['POST /oauth2/token', 413, { headers: form, body: 'x'.repeat(MAX_HOST_BODY_BYTES) }],
      [
        'POST /oauth2/introspect',
        413,
        { headers: { ...form, ...captions }, body: 'x'.repeat(MAX_HOST_BODY_BYTES) },
      ],
      [
        'POST /oauth2/revoke',
        413,
        { headers: { ...form, ...captions }, body: 'x'.repeat(MAX_HOST_BODY_BYTES) },
      ],
      ['POST /signals', 413, { body: 'x'.repeat(MAX_HOST_BODY_BYTES) }],
      ['POST /operator/revocations', 413, { body: 'x'.repeat(MAX_HOST_BODY_BYTES) }],
      ['POST /oauth2/introspect', 200, { headers: { ...form, ...captions }, body: token }],
      ['POST /oauth2/introspect', 200, { headers: { ...form, ...captions }, body: 'token=nonsense' }],
      ['POST /oauth2/introspect', 400, { headers: { ...form, ...captions }, body: 'x=y' }],
      ['POST /oauth2/introspect', 401, { headers: form, body: token }],
      ['POST /oauth2/revoke', 200, { headers: { ...form, ...operator }, body: token }],
      ['POST /oauth2/revoke', 200, { headers: { ...form, ...operator }, body: 'token=nonsense' }],
      ['POST /oauth2/revoke', 401, { headers: form, body: token }],
      ['GET /.well-known/oauth-authorization-server', 200, {}],
      ['GET /health', 200, {}],
      ['POST /signals', 400, { headers: { 'content-type': 'application/secevent+jwt' }, body: 'x' }],
      [
        'POST /operator/revocations',
        200,
        { headers: operator, body: JSON.stringify({ scope, block: true, reason: 'x' }) },
      ],
      ['POST /operator/revocations', 400, { headers: operator, body: '{}' }],
      ['POST /operator/revocations', 409, { headers: operator, body: JSON.stringify(byName) }],
      ['POST /operator/revocations/lift', 409, { headers: operator, body: JSON.stringify(byName) }],
      ['GET /operator/revocations', 200, { headers: auditor }],
      ['GET /operator/revocations', 401, {}],
      ['GET /operator/revocations', 403, { headers: captions }],
      [
        'POST /operator/revocations/lift',
        200,
        { headers: operator, body: JSON.stringify({ scope, reason: 'x' }) },
      ],
      ['POST /operator/revocations/lift', 400, { headers: operator, body: '{}' }],
      ['GET /operator/events', 200, { headers: auditor }],
      ['GET /operator/audit', 200, { headers: auditor }],
      ...['revocations', 'events', 'audit', 'audit/export', 'usage', 'proof', 'accounts', 'operations'].map(
        (name): [string, number, RequestInit] => [`GET /operator/${name}`, 400, { headers: auditor }],
      ),
      ['GET /operator/accounts', 200, { headers: auditor }],
      ['GET /operator/accounts/{name}', 200, { headers: auditor }],
      ['GET /operator/accounts/{name}', 404, { headers: auditor }],
      ['GET /operator/accounts/{name}/history', 200, { headers: auditor }],
      ['POST /operator/accounts/{name}/rotate', 404, { headers: operator, body: '{"reason":"x"}' }],
      ['POST /operator/accounts/{name}/rotate', 400, { headers: operator, body: '{"slot":"Key3"}' }],
      [
        'POST /operator/accounts/{name}/rotate',
        202,
        { headers: operator, body: '{"slot":"Key2","reason":"x"}' },
      ],
      ['POST /operator/accounts/{name}/pause', 200, { headers: operator, body: '{"reason":"x"}' }],
      ['POST /operator/accounts/{name}/resume', 200, { headers: operator, body: '{"reason":"x"}' }],
      [
        'POST /operator/accounts/{name}/resume',
        200,
        { headers: { ...operator, 'idempotency-key': 'k' }, body: '{"reason":"y"}' },
      ],
      [
        'POST /operator/accounts/{name}/resume',
        422,
        { headers: { ...operator, 'idempotency-key': 'k' }, body: '{"reason":"z"}' },
      ],
      ['GET /operator/policy', 200, { headers: auditor }],
      ['GET /operator/policy', 403, { headers: captions }],
      ['GET /operator/policy/versions', 200, { headers: auditor }],
      ['PUT /operator/policy', 428, { headers: publisher, body: '{}' }],
      ['PUT /operator/policy', 400, { headers: { ...publisher, 'if-match': 'x' }, body: '{}' }],
      [
        'PUT /operator/policy',
        412,
        { headers: { ...publisher, 'if-match': `"${'0'.repeat(64)}"` }, body: change },
      ],
      ['PUT /operator/policy', 422, { headers: { ...publisher, 'if-match': etag }, body: noPolicy }],
      ['PUT /operator/policy', 200, { headers: { ...publisher, 'if-match': etag }, body: change }],
      ['POST /operator/policy/rollback', 400, { headers: operator, body: '{}' }],
      ['POST /operator/policy/rollback', 404, { headers: operator, body: back('0'.repeat(64)) }],
      ['POST /operator/policy/rollback', 200, { headers: operator, body: back(etag.slice(1, -1)) }],
      ['GET /operator/operations', 200, { headers: auditor }],
      ['GET /operator/operations/{id}', 200, { headers: auditor }],
      ['GET /operator/operations/{id}', 404, { headers: auditor }],
    ];
    const done = await fetch(`${broker}/operator/revocations`, {
      method: 'POST',
      headers: operator,
      body: JSON.stringify({
        scope: { kind: 'grant', name: 'captions' },
        notBefore: '2026-01-01T00:00:00Z',
        reason: 'a laptop was lost',
      }),
    });
    const { operation } = (await done.json()) as { operation: string };
    // So that the accounts have their slots.
    await fetch(`${stack.description.apps.rotator[0]}/admin/functions/rotate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":""}',
    });
    const isSeen = async () =>
      (await (await fetch(`${broker}/operator/accounts/translator`, { headers: auditor })).text()).includes(
        'asOf',
      );
    while (!(await isSeen())) await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [route, status, init] of asked) {
      const [method = '', path = ''] = route.split(' ');
      const isMisspelled = method === 'GET' && status === 400;
      const at = `${path.replace('{name}', status === 404 ? 'none' : 'translator').replace('{id}', status === 404 ? unknownId : operation)}${isMisspelled ? '?resorce=x' : ''}`;
      const response = await fetch(`${broker}${at}`, { method, ...init });
      assert.equal(await assertDocumented(document, route, response), status, route);
    }

    // So that minutes with what was just done are closed.
    await stack.control('POST', '/clock', { advanceSeconds: 600 });
    await fetch(`${stack.description.apps.rotator[0]}/admin/functions/close`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":""}',
    });
    const isClosed = async () => {
      const answer = await fetch(`${broker}/operator/usage`, { headers: auditor });
      return ((await answer.json()) as { items: unknown[] }).items.length > 0;
    };
    while (!(await isClosed())) await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [route, path] of [
      ['GET /operator/usage', '/operator/usage?by=resource,caller,grant,kind,outcome,reason'],
      ['GET /operator/proof', '/operator/proof'],
      ['GET /operator/audit/export', '/operator/audit/export'],
    ] as const) {
      const response = await fetch(`${broker}${path}`, { headers: auditor });
      assert.equal(await assertDocumented(document, route, response), 200, route);
    }

    const beyond = { method: 'POST', body: 'x'.repeat(MAX_HOST_BODY_BYTES + 1) };
    const refused = await fetch(`${broker}/oauth2/token`, beyond);
    assert.deepEqual([refused.status, await refused.text()], [500, ''], 'the host itself, undocumented');

    await stack.control('PUT', '/faults/tables', { mode: 'status', status: 503 });
    // Health is at most five seconds old.
    await stack.control('POST', '/clock', { advanceSeconds: 5 });
    for (const [route, init] of [
      ['POST /oauth2/token', { headers: { ...form, ...captions }, body: `${exchange}speech` }],
      ['POST /oauth2/introspect', { headers: { ...form, ...captions }, body: token }],
      ['GET /health', {}],
      ['GET /operator/revocations', { headers: auditor }],
    ] as const) {
      const [method = '', path = ''] = route.split(' ');
      const response = await fetch(`${broker}${path}`, { method, ...init });
      assert.equal(await assertDocumented(document, route, response), 503, route);
    }
    const file = new URL('../../src/http/openapi-examples.json', import.meta.url);
    if (process.env['BROKER_TEST_EXAMPLES'] === 'write')
      writeFileSync(file, `${JSON.stringify(Object.fromEntries([...examples].sort()), undefined, 2)}\n`);
  });
});
