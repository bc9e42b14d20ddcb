/** Fifty agents of one blueprint at three instances: one line of the policy grants them, and one revocation ends them. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { callerNamed, callerToken, deliver, exchange, ownEvent, startLocal } from '../local/local-mode.ts';

const AGENTS = 50;
const [BLUEPRINT, OTHER] = [id(1), id(2)];
const TENANT = '10000000-0000-4000-8000-000000000001';
function id(last: number): string {
  return `80000000-0000-4000-8000-${String(last).padStart(12, '0')}`;
}
const grant = (name: string, callers: object[], rest: object = {}) => ({
  name,
  callers: callers.map((rule) => ({ tenant: 'contoso', ...rule })),
  resources: ['contact-centre'],
  tokenKinds: ['sts'],
  maxLifetime: '10m',
  rate: { count: 10_000, per: '1m' },
  ...rest,
});
/** What is in shadow grants nothing: it only makes agents exist in the simulated Entra, each with a client id of its own. */
const grants = [
  grant('agents', [{ blueprint: BLUEPRINT }]),
  grant('others', [{ blueprint: OTHER }]),
  grant(
    'existing',
    Array.from({ length: AGENTS - 1 }, (_, n) => ({ blueprint: BLUEPRINT, clientId: id(1_000 + n) })),
    { shadow: true },
  ),
];

const folder = mkdtempSync(join(tmpdir(), 'agents-'));
let local: Awaited<ReturnType<typeof startLocal>>;
let tokens: readonly string[];
before(async () => {
  const policy = JSON.parse(readFileSync(new URL('../local/own-policy.json', import.meta.url), 'utf8'));
  const file = join(folder, 'policy.json');
  writeFileSync(file, JSON.stringify({ ...policy, grants }));
  local = await startLocal(['--instances', '3', '--policy', file]);
  const agents = local.description.callers.filter(({ blueprintId }) => blueprintId === BLUEPRINT);
  assert.equal(new Set(agents.map(({ clientId }) => clientId)).size, AGENTS);
  tokens = await Promise.all(agents.map(({ name }) => callerToken(local.description, name)));
});
after(async () => {
  await local[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const ask = async (token: string, instance: number): Promise<number> => {
  const { instances, broker } = local.description;
  return (await exchange(instances[instance % instances.length] ?? broker, token, 'contact-centre')).status;
};
const tally = (statuses: readonly number[]) =>
  Object.fromEntries([...Map.groupBy(statuses, String)].map(([status, all]) => [status, all.length]));
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

test(`${AGENTS} agents are granted by one line, and one revocation of their blueprint ends all of them, none late`, async (t) => {
  // The first exchanges of an instance that has just started may take longer than a deadline.
  for (let instance = 0; instance < 3; instance += 1) {
    let status = 0;
    for (let left = 20; left > 0 && status !== 200; left -= 1) status = await ask(tokens[0] ?? '', instance);
    assert.equal(status, 200);
  }
  assert.deepEqual(tally(await Promise.all(tokens.map(ask))), { 200: AGENTS });

  const other = await callerToken(local.description, 'others');
  let returned = false;
  let exchanges = 0;
  let late = 0;
  /** Every agent asks again and again, of one instance after another, before and after the call has returned. */
  const agents = tokens.map(async (token, agent) => {
    for (let round = 0, after = 0; after < 3; round += 1) {
      const isAfter = returned;
      const status = await ask(token, agent + round);
      exchanges += 1;
      if (isAfter) after += 1;
      if (isAfter && status !== 400) late += 1;
    }
  });
  const scope = { kind: 'client', tenantId: TENANT, clientId: BLUEPRINT };
  const event = ownEvent('RevocationRequested', { scope, reason: 'a test' });
  let status = 0;
  for (let left = 5; left > 0 && status !== 202; left -= 1)
    status = await deliver(local.description.broker, [event]);
  returned = true;
  assert.equal(status, 202);
  await Promise.all(agents);
  assert.equal(late, 0);
  t.diagnostic(`${AGENTS} agents, 1 revocation, ${exchanges} exchanges around it, ${late} late`);

  assert.deepEqual(
    await Promise.all([0, 1, 2].map((instance) => ask(other, instance))),
    [200, 200, 200],
    'agents of another blueprint go on',
  );
});

test('the audit says agent and blueprint, and finds all agents of a blueprint by its id', async () => {
  const { broker } = local.description;
  const authorization = `Bearer ${await callerToken(local.description, 'auditor')}`;
  const answer = await fetch(`${broker}/operator/audit?caller=${BLUEPRINT}&outcome=granted&limit=1000`, {
    headers: { authorization },
  });
  const { items } = (await answer.json()) as { items: Record<string, Record<string, unknown>>[] };
  assert.equal(new Set(items.map(({ clientId }) => String(clientId))).size, AGENTS);
  const first = callerNamed(local.description, 'agents');
  const own = items.find(({ clientId }) => String(clientId) === first.clientId);
  assert.deepEqual(own?.['claims']?.['agent'], { blueprintId: BLUEPRINT, actsFor: 'itself' });
  assert.equal(String(own?.['objectId']), first.objectId);
});

test("the simulated Entra gives an agent's token only to its own blueprint, with the claims of an agent", async () => {
  const { entra } = local.description;
  const [agent, other] = ['agents', 'others'].map((name) => callerNamed(local.description, name));
  assert.ok(agent && other);
  const token = claimsOf(await callerToken(local.description, 'agents'));
  assert.deepEqual(
    [token['idtyp'], token['xms_par_app_azp'], token['oid'], token['sub'], token['azp']],
    ['app', BLUEPRINT, agent.objectId, agent.objectId, agent.clientId],
  );
  assert.deepEqual(new Set(String(token['xms_act_fct']).split(' ')), new Set(['3', '9', '11']));
  const post = async (form: Record<string, string>) => {
    const answer = await fetch(`${entra.authority}/${TENANT}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: entra.scope, ...form }),
    });
    return (await answer.json()) as { access_token?: string; error?: string };
  };
  const exchangeScope = 'api://AzureADTokenExchange/.default';
  const ofBlueprint = (caller: typeof agent, path: string) =>
    post({
      client_id: caller.blueprintId ?? '',
      client_secret: caller.clientSecret ?? '',
      fmi_path: path,
      scope: exchangeScope,
    });
  const asAgent = (assertion: string) =>
    post({
      client_id: agent.clientId,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
  assert.equal((await ofBlueprint(other, agent.clientId)).access_token, undefined, 'another blueprint');
  const forOther = (await ofBlueprint(other, other.clientId)).access_token;
  assert.ok(forOther);
  assert.equal((await asAgent(forOther)).error, 'invalid_client', 'the assertion of another agent');
  const bySecret = await post({ client_id: agent.clientId, client_secret: agent.clientSecret ?? '' });
  assert.equal(bySecret.error, 'invalid_client', 'an agent has no credential of its own');
});
