import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  MAX_HOST_BODY_BYTES,
  MAX_OPERATOR_BODY_BYTES,
  MAX_SIGNAL_BYTES,
  MAX_TOKEN_BODY_BYTES,
} from '../src/body-limits.ts';
import { boundedOperator, boundedSignal } from '../src/http/bounded.ts';
import { token } from './exchange/entra-token.ts';
import { form, request } from './http/requests.ts';

const guids = (count: number) =>
  Array.from({ length: count }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
const samples = join(import.meta.dirname, 'samples');
const sizesOf = (prefix: RegExp) =>
  readdirSync(samples)
    .filter((file) => prefix.test(file))
    .map((file) => readFileSync(join(samples, file)).length);

describe('the bounds of bodies', () => {
  it('hold an exchange with a token of 200 groups and every parameter', () => {
    const subject_token = token({ groups: guids(200), wids: guids(60), others: 'x'.repeat(3_000) });
    const exchange = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: `https://${'x'.repeat(1_000)}`,
      scope: 'https://cognitiveservices.azure.com/.default',
      token_kind: 'entra',
    };
    for (const body of [form(exchange), JSON.stringify(exchange)])
      assert.ok(body.length < MAX_TOKEN_BODY_BYTES, `${body.length}`);
    // The longest that verify.ts looks at.
    const longest = form({ ...exchange, subject_token: 'x'.repeat(24_576) });
    assert.ok(longest.length < MAX_TOKEN_BODY_BYTES, `${longest.length}`);
  });
  it('hold every event, one a delivery, though its actor is in 200 groups', () => {
    const events = sizesOf(/-(eg|ce)-(?!batch)/);
    assert.ok(events.length > 5);
    assert.ok(Math.max(...events) + 200 * 37 < MAX_HOST_BODY_BYTES);
  });
  it('hold every Security Event Token', () => {
    const signals = sizesOf(/-set-/);
    assert.ok(signals.length > 5);
    assert.ok((Math.max(...signals) * 4) / 3 + 1_000 < MAX_SIGNAL_BYTES);
  });
  it('leave room for an answer of ours below the host’s', () => {
    for (const bytes of [MAX_TOKEN_BODY_BYTES, MAX_SIGNAL_BYTES, MAX_OPERATOR_BODY_BYTES])
      assert.ok(bytes < MAX_HOST_BODY_BYTES);
  });
});

describe('a body over the bound of its route', () => {
  const sized = (bytes: number) =>
    request('POST', '/', { headers: { 'content-length': String(bytes) }, body: 'x'.repeat(bytes) });

  it('is 413 in the form of the route’s other refusals, and the handler is not asked', async () => {
    const never = () => assert.fail('asked');
    const signal = await boundedSignal(never)(sized(MAX_SIGNAL_BYTES + 1));
    assert.equal(signal.status, 413);
    assert.deepEqual(signal.jsonBody, {
      err: 'invalid_request',
      description: `the body may have at most ${MAX_SIGNAL_BYTES} bytes`,
    });
    const operator = await boundedOperator(never)(sized(MAX_OPERATOR_BODY_BYTES + 1));
    assert.equal(operator.status, 413);
    assert.match(operator.jsonBody.detail, /at most 8192 bytes/);
  });
  it('goes to the handler where it is just as long, or has no length', async () => {
    const accepts = boundedOperator(async () => ({ status: 200 }));
    assert.equal((await accepts(sized(MAX_OPERATOR_BODY_BYTES))).status, 200);
    assert.equal((await accepts(request('GET', '/'))).status, 200);
  });
});
