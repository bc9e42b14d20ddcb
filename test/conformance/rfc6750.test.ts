/** The subject token as Bearer token, by section. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Denial } from '../../src/denial.ts';
import { createIntrospectionEndpoint } from '../../src/http/introspection.ts';
import { createAccountRoutes } from '../../src/http/operator/accounts.ts';
import { createAuditRoutes } from '../../src/http/operator/audit.ts';
import { createEventRoutes } from '../../src/http/operator/events.ts';
import { createExplainEndpoint } from '../../src/http/operator/explain.ts';
import { createOperationRoutes } from '../../src/http/operator/operations.ts';
import { createRevocationRoutes } from '../../src/http/operator/revocations.ts';
import { createWhatIfEndpoint } from '../../src/http/operator/what-if.ts';
import { createRevocationEndpoint } from '../../src/http/revocation.ts';
import { gateOf } from '../http/gate.ts';
import { request } from '../http/requests.ts';
import { ACCESS_TOKEN, exchangeEndpoint, good, subjectToken, TOKEN_EXCHANGE } from './exchange-endpoint.ts';
import { jsonOf } from './serve.ts';

const withoutToken = { grant_type: TOKEN_EXCHANGE, resource: 'speech' };
const bearer = { authorization: `Bearer ${subjectToken}` };

test('RFC 6750 section 2.1: the token as Authorization header, the scheme in any case', async () => {
  await using broker = await exchangeEndpoint();
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    assert.equal(
      (await broker.post(withoutToken, { authorization: `${scheme} ${subjectToken}` })).status,
      200,
    );
});

test('RFC 6750 section 2: two ways at once are invalid_request', async () => {
  await using broker = await exchangeEndpoint();
  const answer = await broker.post(good, bearer);
  assert.deepEqual([answer.status, (await jsonOf(answer))['error']], [400, 'invalid_request']);
  const typeOnly = await broker.post({ ...withoutToken, subject_token_type: ACCESS_TOKEN }, bearer);
  assert.equal(typeOnly.status, 400);
});

test('RFC 6750 section 2.3: a token in the URL is not taken', async () => {
  await using broker = await exchangeEndpoint();
  for (const name of ['access_token', 'subject_token']) {
    const query = new URLSearchParams({ [name]: subjectToken });
    const answer = await fetch(`${broker.url}/oauth2/token?${query}`, {
      method: 'POST',
      body: new URLSearchParams(withoutToken),
    });
    assert.deepEqual([answer.status, (await jsonOf(answer))['error']], [400, 'invalid_request']);
  }
});

test('RFC 6750 section 2.1: another scheme, no token or two tokens (two headers, as the host joins them) are invalid_request', async () => {
  await using broker = await exchangeEndpoint();
  for (const authorization of [
    `DPoP ${subjectToken}`,
    'Bearer',
    'Bearer a b',
    'Bearer a,Bearer b',
    subjectToken,
  ]) {
    const answer = await broker.post(withoutToken, { authorization });
    assert.deepEqual(
      [answer.status, (await jsonOf(answer))['error']],
      [400, 'invalid_request'],
      authorization.slice(0, 9),
    );
  }
});

/** None of these ports is reached by a caller who is refused. */
const unreached = new Proxy({}, { get: (_, name) => assert.fail(String(name)) }) as never;

test('RFC 6750 section 3.1: an expired token is invalid_token, 401, and the description says so, on every route', async () => {
  const expired: Denial = { kind: 'caller_unverified', fault: 'expired', hint: 'expired' };
  const admit = async () => expired;
  const gate = gateOf(admit);
  const issued = unreached;
  const perform = unreached;
  const routes = [
    createIntrospectionEndpoint({ admit, issued, issuer: 'https://x', endpointOf: unreached }),
    createRevocationEndpoint({ admit, issued }),
    createExplainEndpoint({
      gate,
      clock: unreached,
      policyOf: unreached,
      revocations: unreached,
      snapshot: unreached,
      readSpan: unreached,
    }),
    createWhatIfEndpoint({ gate, readSpan: unreached }),
    ...Object.values({
      ...createAccountRoutes({
        gate,
        perform,
        planned: unreached,
        pauses: unreached,
        place: unreached,
        rotated: unreached,
      }),
      ...createOperationRoutes({ gate, follow: unreached }),
      ...createRevocationRoutes({
        gate,
        perform,
        operate: unreached,
        homeTenantId: '',
        directory: unreached,
      }),
      ...createEventRoutes({ gate, operate: unreached }),
      ...createAuditRoutes({ gate, clock: unreached, readAudit: unreached, recordedAs: unreached }),
    }),
  ];
  const description = 'the access token has expired: get a new one from Entra';
  for (const route of routes) {
    const answer = await route(request('POST', '/', { body: 'token=x', headers: bearer }));
    assert.equal(answer.status, 401);
    assert.equal(
      (answer.headers as Record<string, string>)['www-authenticate'],
      `Bearer realm="azure-ai-token-broker", error="invalid_token", error_description="${description}"`,
    );
    assert.ok(JSON.stringify(answer.jsonBody ?? answer.body).includes(description));
  }
});
