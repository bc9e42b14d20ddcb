/** A program whose library caches its Entra token, after a revocation: from the refusal to being served again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClientSecretCredential } from '@azure/identity';
import { brokerToken } from '../../src/client/broker-token.ts';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import { callerNamed, deliver, ownEvent } from '../local/local-mode.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
before(async () => {
  stack = await startStack();
  await stack.warm();
});
after(() => stack[Symbol.asyncDispose]());

const captions = () => callerNamed(stack.description, 'captions');
const revoke = async (scope: object, rest: object = {}) => {
  const event = ownEvent('RevocationRequested', { scope, ...rest });
  assert.equal(await deliver(stack.description.broker, [event]), 202);
};

/** The real library with its real cache, and how many tokens it got from Entra. */
function program() {
  const { entra, broker } = stack.description;
  const { tenantId, clientId, clientSecret = '' } = captions();
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: entra.authority,
    disableInstanceDiscovery: true,
  });
  const challenges: (string | undefined)[] = [];
  const options = {
    issuer: broker,
    resource: 'speech',
    getCallerToken: async (claims?: string) => {
      challenges.push(claims);
      const asked = { enableCae: true, ...(claims === undefined ? {} : { claims }) };
      return (await credential.getToken(entra.scope, asked)).token;
    },
  };
  return {
    challenges,
    /** As another part of the program, or the same one later: without a token of the broker's in its cache. */
    ask: () => brokerToken(options)(),
  };
}
async function entraTokens(): Promise<number> {
  const { requests } = await stack.control('GET', '/requests?service=entra');
  const { clientId } = captions();
  return (requests as { operation: string; by: string }[]).filter(
    ({ operation, by }) => operation === 'token client_credentials' && by === clientId,
  ).length;
}

test('the refusal asks for a newer token, the library gets one past its cache, and the next exchange works', async () => {
  const { ask, challenges } = program();
  const first = await entraTokens();
  await ask();
  await ask();
  assert.equal(await entraTokens(), first + 1, 'the library has a cache');

  const { tenantId, objectId } = captions();
  await revoke({ kind: 'user', tenantId, objectId });
  await assert.rejects(ask(), (error: { claims?: string; retryAfterSeconds?: number }) => {
    assert.match(error.claims ?? '', /"nbf"/);
    // Two minutes at most: until then nothing tells a new token from one that was dated ahead.
    assert.ok((error.retryAfterSeconds ?? 0) > 60);
    return (error.retryAfterSeconds ?? 1_000) <= MAX_CLOCKS_DIFFER_SECONDS + 1;
  });

  await stack.control('POST', '/clock', { advanceSeconds: MAX_CLOCKS_DIFFER_SECONDS + 1 });
  const asked = await entraTokens();
  assert.ok((await ask()).accessToken);
  assert.equal(await entraTokens(), asked + 1);
  const used = challenges.length;
  assert.ok((await ask()).accessToken);
  assert.equal(await entraTokens(), asked + 1, 'the newer one is in the cache');
  assert.equal(challenges.length, used + 1);
});

test('of one revoked token: the next one works at once', async () => {
  const { ask, challenges } = program();
  await ask();
  const { entra } = stack.description;
  const token = await stack.callerToken('captions', entra.scope);
  const { tid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const { items } = await audited();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await revoke({ kind: 'token', tenantId: tid, uti: items.at(-1)?.uti });
  assert.ok((await ask()).accessToken);
  assert.deepEqual(challenges.slice(0, 2), [undefined, undefined]);
  assert.match(challenges[2] ?? '', /"nbf"/);
});

async function audited(): Promise<{ items: { uti: string }[] }> {
  const answer = await fetch(`${stack.description.broker}/operator/audit?resource=speech&limit=1000`, {
    headers: { authorization: `Bearer ${await stack.callerToken('auditor')}` },
  });
  return (await answer.json()) as { items: { uti: string }[] };
}

test('of a block: no claims, and Entra is not asked', async () => {
  const { ask, challenges } = program();
  const { tenantId, clientId } = captions();
  await ask();
  await revoke({ kind: 'client', tenantId, clientId }, { block: true });
  await assert.rejects(ask(), {
    code: 'invalid_request',
    claims: undefined,
    message: /a newer one is not either/,
  });
  assert.deepEqual(challenges, [undefined, undefined]);
});
