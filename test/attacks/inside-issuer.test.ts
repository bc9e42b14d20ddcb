/**
 * Code inside the issuer app, with all that the app carries, changes no key, no secret and no written audit row
 * (invariant 11): each try is refused by the simulated service, by the roles that infra/roles.bicep gives.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { issuerIdentity, readerIdentity, rotatorIdentity } from '../../src/local/simulated/demo-directory.ts';
import { startLocal } from '../local/local-mode.ts';
import { type Attempt, attack, attempts, CARRIED, type TokenFor, tokensOf } from './inside-issuer.ts';

const clientIds = { issuer: issuerIdentity.clientId, reader: readerIdentity.clientId };
let local: Awaited<ReturnType<typeof startLocal>>;
let token: TokenFor;
let tries: readonly Attempt[];
before(async () => {
  // Not by test/flows/stack.ts, whose end says that no role was missing.
  local = await startLocal();
  const { description } = local;
  token = tokensOf(description, clientIds);
  const speech = description.resources.find(({ name }) => name === 'speech');
  const current = await fetch(`${description.keyVault}/secrets/${speech?.secret}?api-version=7.6`, {
    headers: { authorization: `Bearer ${await token('issuer', 'keyvault')}` },
  });
  const { id } = (await current.json()) as { id: string };
  tries = attempts(description, id.split('/').at(-1) ?? '');
});
after(() => local[Symbol.asyncDispose]());

async function requests(after: number): Promise<{
  readonly requests: readonly { service: string; operation: string; status: number }[];
  readonly last: number;
}> {
  const answer = await fetch(`${local.description.control}/requests?after=${after}`);
  return (await answer.json()) as Awaited<ReturnType<typeof requests>>;
}

test('whatever code inside the issuer app tries, with any identity that it carries, is refused', async (t) => {
  const told: string[] = [];
  const { last } = await requests(0);
  const width = Math.max(...tries.map(({ what }) => what.length));
  for (const one of tries) {
    const answers = [];
    for (const acting of CARRIED) answers.push(await attack(one, await token(acting, one.service)));
    told.push(
      `${one.what.padEnd(width)}  ${answers.map(({ status }) => status).join(' ')}  ${answers[0]?.code}`,
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      CARRIED.map(() => 403),
      one.what,
    );
  }
  told.push(
    "not tried: the rotator's package, whose storage account is not simulated (test/infra/roles.test.ts)",
  );
  t.diagnostic(`refused to ${CARRIED.join(', ')}:\n${told.join('\n')}`);
  const asked = (await requests(last)).requests;
  const refused = new Set(
    asked.filter(({ status }) => status === 403).map(({ service, operation }) => `${service} ${operation}`),
  );
  for (const { service, operation } of tries) assert.ok(refused.has(`${service} ${operation}`), operation);
});

test("the same requests are done, or find nothing, with the rotator's role: it is the role that is missing", async () => {
  for (const one of tries.filter(({ rotatorMay }) => rotatorMay)) {
    const { status } = await attack(one, await token('rotator', one.service));
    assert.ok(status < 300 || status === 404, `${one.what}: ${status}`);
  }
});

test("the issuer app gets no token for the rotator's identity, whichever way it names it", async () => {
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER = '' } = local.description.environment.issuer;
  const { clientId, principalId, resourceId } = rotatorIdentity;
  const selectors = {
    client_id: clientId,
    principal_id: principalId,
    object_id: principalId,
    mi_res_id: resourceId,
  };
  for (const [name, value] of Object.entries(selectors)) {
    const query = new URLSearchParams({
      'api-version': '2019-08-01',
      resource: 'https://vault.azure.net',
      [name]: value,
    });
    const headers = { 'x-identity-header': IDENTITY_HEADER };
    const answer = await fetch(`${IDENTITY_ENDPOINT}?${query}`, { headers });
    assert.equal(answer.status, 400, name);
  }
});
