/** The demo set is what the local mode promises, and its parts agree with each other. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { describeCaller } from '../../../src/local/may.ts';
import { resources } from '../../../src/local/simulated/demo.ts';
import { callers, directory } from '../../../src/local/simulated/demo-directory.ts';
import type { RunningAzure } from '../../../src/local/simulated/start.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import { compilePolicy } from '../../../src/policy/match.ts';
import { tokenKind } from '../../../src/policy/resource-schema.ts';
import type { Caller } from '../../../src/ports.ts';
import { Secret } from '../../../src/secret.ts';
import { callerToken, claimsOf, startTestAzure, type TestAzure } from './fabric-azure.ts';

let stand: TestAzure;
let azure: RunningAzure;
before(async () => {
  stand = await startTestAzure();
  azure = stand.azure;
});
after(() => stand.close());

/** As the exchange would see this token. */
function callerOf(token: string): Caller {
  const claims = claimsOf(token) as Record<string, string | string[]>;
  return {
    kind: claims['idtyp'] === 'app' ? 'application' : 'user',
    tenantId: String(claims['tid']),
    objectId: String(claims['oid']),
    clientId: String(claims['azp']),
    uti: String(claims['uti']),
    issuedAtSeconds: Number(claims['iat']),
    expiresAtSeconds: Number(claims['exp']),
    scopes: String(claims['scp'] ?? '').split(' '),
    appRoles: [claims['roles'] ?? []].flat(),
    groups: [claims['groups'] ?? []].flat(),
    token: new Secret(token),
  };
}

test('its policy lets each caller have exactly what its description says', async () => {
  const inForce = loadPolicy(JSON.stringify(azure.policy));
  const policy = compilePolicy(inForce);
  for (const caller of callers) {
    const { may } = describeCaller(caller, inForce);
    const who = callerOf(await callerToken(azure, caller.name));
    for (const { name } of resources) {
      const target = policy.target(name);
      assert.ok(target, name);
      const allowed = tokenKind.options.filter(
        (kind) => policy.options(who, target.resource, kind).length > 0,
      );
      const said = may.find(({ resource }) => resource === name)?.tokenKinds ?? [];
      assert.deepEqual(allowed.sort(), [...said].sort(), `${caller.name} at ${name}`);
    }
  }
});

test('it has an account and a caller of each kind that is promised', () => {
  const kinds = resources.map(({ kind, tokenKinds }) => `${kind} ${tokenKinds.join(' ')}`);
  assert.ok(kinds.includes('SpeechServices sts entra') && kinds.includes('OpenAI entra obo'));
  const { resources: entries } = loadPolicy(JSON.stringify(azure.policy));
  const identities = entries.map(({ identity }) => JSON.stringify(identity));
  assert.equal(identities.filter((identity) => identity.includes('systemAssigned')).length, 1);
  const shared = identities.filter((identity) => identity.includes('userAssigned'));
  assert.deepEqual([shared.length, new Set(shared).size], [2, 1]);
  assert.deepEqual(
    callers.map(({ name, kind }) => `${name} ${kind}`),
    [
      'captions application',
      'translations application',
      'nightly managed-identity',
      'operator application',
      'auditor application',
      'publisher application',
      'outsider application',
      'ada user',
    ],
  );
  assert.equal(callers.find(({ name }) => name === 'outsider')?.tenantId, azure.entra.otherTenantId);
});

test('every account has ports of its own, and the policy names the same accounts', () => {
  const urls = azure.resources.flatMap(({ endpoint, regionalEndpoint }) =>
    [endpoint, regionalEndpoint].flatMap((url) => url ?? []),
  );
  assert.equal(urls.length, 12);
  assert.equal(new Set(urls).size, 12);
  const policy = loadPolicy(JSON.stringify(azure.policy));
  assert.deepEqual(
    policy.resources.map(({ name }) => name),
    azure.resources.map(({ name }) => name),
  );
  assert.deepEqual(
    policy.transmitters.map(({ issuer }) => issuer),
    azure.transmitters.map(({ issuer }) => issuer),
  );
});

test('every id is one thing only', () => {
  const ids = [
    ...directory.applications.flatMap(({ clientId, objectId }) => [clientId, objectId]),
    ...directory.identities.flatMap(({ clientId, principalId }) => [clientId, principalId]),
    ...directory.users.map(({ objectId }) => objectId),
  ];
  assert.equal(new Set(ids).size, ids.length);
});
