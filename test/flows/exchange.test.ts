import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTables } from '../../src/azure/tables.ts';
import { brokerV1Uri } from '../../src/local/simulated/demo-directory.ts';
import type { AuditRecord } from '../../src/ports.ts';
import { auditOfDay } from '../azure/audit-day.ts';
import { refusalsOf } from './refusals.ts';
import { type Answer, type Stack, startStack } from './stack.ts';

let stack: Stack;
before(async () => {
  stack = await startStack();
  await stack.warm();
});
after(() => stack[Symbol.asyncDispose]());

const resource = (name: string) => {
  const found = stack.description.resources.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
};
async function auditOf(answer: Answer): Promise<AuditRecord | undefined> {
  const correlation = String(answer.body['correlation_id']);
  const tables = createTables(stack.description.tables, { getToken: () => assert.fail('on loopback') });
  const records = await auditOfDay(tables, new Date().toISOString().slice(0, 10));
  return records.findLast(({ correlationId }) => correlationId === correlation);
}
/** What a stranger was refused for is in the audit within ten seconds, counted, with a few correlation ids. */
async function isCountedWithin20s(isMeant: (record: AuditRecord) => boolean | undefined): Promise<boolean> {
  const tables = createTables(stack.description.tables, { getToken: () => assert.fail('on loopback') });
  for (const untilMs = performance.now() + 20_000; performance.now() < untilMs; await sleep(500)) {
    const records = await auditOfDay(tables, new Date().toISOString().slice(0, 10));
    if (records.some((record) => record.count !== undefined && isMeant(record))) return true;
  }
  return false;
}
const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });

test('a key-exchange token: good for ten minutes at most, at the host that the answer names and no other', async () => {
  const { endpoint, regionalEndpoint } = resource('speech');
  const caller = await stack.callerToken('captions');
  const answer = await stack.exchange(caller, 'speech');
  assert.equal(answer.status, 200, answer.text);
  const { access_token, expires_in, refresh_in, ...rest } = answer.body;
  assert.deepEqual(rest, {
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    token_kind: 'sts',
    endpoint,
    region: 'westeurope',
    revocation: `new exchanges at once; this token until it expires, at most ${expires_in} s`,
  });
  assert.ok(Number(expires_in) > 60 && Number(expires_in) <= 600);
  assert.ok(Number(refresh_in) < Number(expires_in));
  assert.equal(answer.headers.get('cache-control'), 'no-store');

  const voices = (host: string | undefined) =>
    fetch(`${host}/cognitiveservices/voices/list`, { headers: bearer(access_token) });
  assert.equal((await voices(endpoint)).status, 200);
  assert.equal((await voices(regionalEndpoint)).status, 401);

  const regional = await stack.exchange(caller, regionalEndpoint ?? '');
  assert.equal(regional.body['endpoint'], regionalEndpoint);
  assert.notEqual(regional.body['access_token'], access_token);
});

test('an Entra token by application, for chat, and for Speech in the form that Speech wants', async () => {
  const caller = await stack.callerToken('nightly');
  const chat = await stack.exchange(caller, 'chat');
  assert.equal(chat.body['token_kind'], 'entra', chat.text);
  assert.ok(!('speech_authorization' in chat.body));
  const speech = await stack.exchange(caller, 'speech', { token_kind: 'entra' });
  assert.equal(
    speech.body['speech_authorization'],
    `aad#${resource('speech').accountId}#${speech.body['access_token']}`,
  );
});

test('an Entra token on behalf of the user, which is the first kind of the grant', async () => {
  const answer = await stack.exchange(await stack.callerToken('ada'), 'chat');
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.body['token_kind'], 'obo');
  const claims = JSON.parse(
    Buffer.from(String(answer.body['access_token']).split('.')[1] ?? '', 'base64url').toString(),
  );
  const ada = stack.description.callers.find(({ name }) => name === 'ada');
  assert.equal(claims.oid, ada?.objectId);
  assert.notEqual(claims.aud, stack.description.entra.brokerClientId);
});

test('tokens of a system-assigned and of a shared user-assigned identity, where the policy accepts their long life', async () => {
  const caller = await stack.callerToken('translations');
  for (const name of ['vision', 'language', 'documents']) {
    const answer = await stack.exchange(caller, name);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body['token_kind'], 'entra');
    assert.ok(Number(answer.body['expires_in']) > 7200);
  }
});

test('JSON, a Bearer token, an endpoint as target and a URL with a slash are the same exchange', async () => {
  const caller = await stack.callerToken('captions');
  const { endpoint } = resource('speech');
  const common = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', resource: `${endpoint}/` };
  const asJson = await stack.post(JSON.stringify(common), {
    'content-type': 'application/json',
    ...bearer(caller),
  });
  assert.equal(asJson.status, 200, asJson.text);
  const asForm = await stack.exchange(caller, 'ignored', { resource: undefined, audience: 'speech' });
  assert.equal(asForm.body['access_token'], asJson.body['access_token']);
});

test('a v1.0 token, as managed identities often get, is the same caller', async () => {
  const caller = await stack.callerToken('captions', `${brokerV1Uri}/.default`);
  const claims = JSON.parse(Buffer.from(caller.split('.')[1] ?? '', 'base64url').toString());
  assert.equal(claims.ver, '1.0');
  const answer = await stack.exchange(caller, 'speech');
  assert.equal(answer.status, 200, answer.text);
});

// Side by side, since each waits for the next ten seconds to be counted.
describe('a refusal on record', { concurrency: true }, () => {
  test('the trace id of the caller is the correlation id of the refusal and of its record', async () => {
    const trace = `${'a'.repeat(31)}1`;
    const answer = await stack.post('grant_type=x', {
      'content-type': 'application/x-www-form-urlencoded',
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    });
    assert.equal(answer.body['correlation_id'], trace);
    assert.ok(
      await isCountedWithin20s(
        ({ reason, samples }) =>
          reason === 'grant_type_unsupported' &&
          samples?.some(({ correlationId }) => correlationId === trace),
      ),
    );
  });

  test('every way to be refused, as the caller hears it and as the record says it', async (t) => {
    const strangers: Partial<AuditRecord>[] = [];
    for (const { what, run, status, error, record } of refusalsOf(stack))
      await t.test(what, async () => {
        const answer = await run();
        assert.deepEqual([answer.status, answer.body['error']], [status, error], answer.text);
        assert.ok(!('access_token' in answer.body));
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        const isStranger =
          /^(caller_unverified|request_malformed|grant_type_unsupported|actor_token|subject_token_type)/.test(
            record.reason ?? '',
          );
        if (isStranger) return void strangers.push(record);
        const kept = await auditOf(answer);
        assert.equal(kept?.outcome, 'refused');
        assert.deepEqual(
          Object.fromEntries(Object.keys(record).map((key) => [key, kept?.[key as keyof AuditRecord]])),
          record,
        );
      });
    for (const { reason } of strangers)
      await t.test(`counted: ${reason}`, async () => {
        assert.ok(await isCountedWithin20s((record) => record.reason === reason));
      });
  });

  test('an auditor finds what was asked for: an account that nobody knows, and by a caller whom nobody verified', async () => {
    const found = async (query: string): Promise<readonly AuditRecord[]> => {
      const headers = bearer(await stack.callerToken('auditor'));
      const answer = await fetch(`${stack.description.broker}/operator/audit?limit=1000&${query}`, {
        headers,
      });
      return ((await answer.json()) as { items: AuditRecord[] }).items;
    };
    await stack.exchange(await stack.callerToken('captions'), 'https://no-such.example/v1?key=k');
    const [unknown] = await found('resource=https://no-such.example/v2');
    assert.deepEqual([unknown?.resource, unknown?.reason], ['https://no-such.example', 'target_unknown']);

    await stack.exchange('no token', resource('documents').endpoint);
    const untilMs = performance.now() + 20_000;
    let counted: AuditRecord | undefined;
    while (counted === undefined && performance.now() < untilMs) {
      await sleep(500);
      counted = (await found('resource=documents')).find(
        ({ count, reason }) => count !== undefined && reason === 'caller_unverified: malformed',
      );
    }
    assert.ok(counted?.samples?.some((sample) => sample.resource === 'documents'));
  });
});

test('what the Functions host does to requests is answered with words that help', async (t) => {
  const raw = (headers: Record<string, string | string[]>, body: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = request(
        `${stack.description.broker}/oauth2/token`,
        { method: 'POST', headers },
        (answer) => {
          let text = '';
          answer.on('data', (part) => {
            text += part;
          });
          answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
        },
      );
      asked.on('error', reject).end(body);
    });
  const form = 'grant_type=urn:ietf:params:oauth:grant-type:token-exchange&resource=speech';
  const type = 'application/x-www-form-urlencoded';
  const caller = await stack.callerToken('captions');
  await t.test('a chunked body', async () => {
    const answer = await raw({ 'content-type': type, 'transfer-encoding': 'chunked' }, form);
    assert.match(answer, /^400 .*invalid_request.*Content-Length/);
  });
  await t.test('two Authorization headers', async () => {
    const two = [`Bearer ${caller}`, `Bearer ${caller}`];
    const answer = await raw(
      { 'content-type': type, 'content-length': String(form.length), authorization: two },
      form,
    );
    assert.match(answer, /^400 .*one Bearer token/);
  });
  await t.test('an identity header that anyone can send', async () => {
    const principal = Buffer.from(JSON.stringify({ userId: 'admin', userRoles: ['admin'] })).toString(
      'base64',
    );
    const answer = await stack.post(form, { 'content-type': type, 'x-ms-client-principal': principal });
    assert.equal(answer.body['error_description'], 'subject_token is required');
  });
  await t.test('GET', async () => {
    assert.equal((await fetch(`${stack.description.broker}/oauth2/token`)).status, 404);
  });
});

test('health says ok', async () => {
  const answer = await fetch(`${stack.description.broker}/health`);
  assert.equal(answer.status, 200);
  assert.equal(((await answer.json()) as { status: string }).status, 'ok');
});

test('a new signing key of Entra is followed at once', async () => {
  // A made-up key id, above, has used up the one refetch of five minutes.
  await stack.control('POST', '/clock', { advanceSeconds: 300 });
  await stack.control('POST', '/entra/rollover');
  assert.equal((await stack.exchange(await stack.callerToken('captions'), 'speech')).status, 200);
});
