/** The policy changed over the API: on every instance when the call returns, or not at all. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PolicyHand, type PolicySource, policyHand } from './policy-hand.ts';
import { NO_TIMER, rotationOf } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
let hand: PolicyHand;
before(async () => {
  stack = await startStack(['--instances', '3'], NO_TIMER);
  await stack.warm();
  hand = await policyHand(stack);
});
after(() => stack[Symbol.asyncDispose]());

const without = (policy: PolicySource, grant: string): PolicySource => ({
  ...policy,
  grants: policy.grants.filter(({ name }) => name !== grant),
});
/** On a busy machine an exchange may take longer than a deadline, and the caller is then told to try again. */
const translations = async (broker: string) => {
  const token = await stack.callerToken('translations');
  for (let left = 10; ; left -= 1) {
    const { status } = await stack.exchange(token, 'translator', {}, broker);
    if (status !== 503 || left === 0) return status;
  }
};
const everywhere = async (): Promise<number[]> =>
  Promise.all(stack.description.instances.map((broker) => translations(broker)));
const asked = async (path: string, caller: string, init: RequestInit = {}) => {
  const authorization = `Bearer ${await stack.callerToken(caller)}`;
  const response = await fetch(`${stack.description.broker}${path}`, {
    ...init,
    headers: { authorization, ...init.headers },
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Readonly<Record<string, unknown>>,
  };
};

describe('a change of the policy', () => {
  test('is in force on every instance when the call returns, and a rollback is too', async () => {
    assert.deepEqual(await everywhere(), [200, 200, 200]);
    const { version, policy } = await hand.read();
    const put = await hand.put(
      { policy: without(policy, 'translations'), reason: 'nobody translates', commit: 'abc123' },
      version,
      { broker: stack.description.instances[1] ?? '' },
    );
    assert.equal(put.status, 200);
    assert.deepEqual(await everywhere(), [400, 400, 400]);
    assert.match(String(put.body['changes']), /may no longer have sts tokens for translator/);
    const touched = put.body['touched'] as readonly { resource: string; after: string }[];
    assert.ok(touched.some(({ resource, after: then }) => resource === 'translator' && then === 'refused'));

    const back = await hand.rollBack(version, stack.description.instances[2]);
    assert.equal(back.status, 200);
    assert.deepEqual(await everywhere(), [200, 200, 200]);
    const { body } = await asked('/operator/policy/versions', 'auditor');
    const items = body['items'] as readonly Record<string, unknown>[];
    assert.deepEqual(
      items.map(({ how, reason, commit, inForce }) => [how, reason, commit, inForce]),
      [
        ['rolled back', 'a test', undefined, true],
        ['applied', 'nobody translates', 'abc123', false],
        ['packaged', 'the first policy', undefined, false],
      ],
    );
    assert.equal(items[0]?.['version'], version);
  });

  test('is not made by a dry run, whose answer is the same', async () => {
    const { version, policy } = await hand.read();
    const body = { policy: without(policy, 'translations'), reason: 'to see' };
    const dry = await hand.put(body, version, { dryRun: true });
    assert.equal(dry.status, 200);
    assert.equal(dry.body['dryRun'], true);
    assert.match(String(dry.body['changes']), /may no longer have sts tokens for translator/);
    assert.equal((await hand.read()).version, version);
    assert.deepEqual(await everywhere(), [200, 200, 200]);
  });

  test('that touches many needs their yes by name, and says whom it touches', async () => {
    const { version, policy } = await hand.read();
    const body = { policy: without(policy, 'translations'), reason: 'to see' };
    const open = await hand.put({ ...body, confirm: [] }, version);
    assert.equal(open.status, 409);
    const confirmations = open.body['confirmations'] as readonly { name: string }[];
    assert.deepEqual(
      confirmations.map(({ name }) => name),
      ['many-callers-touched'],
    );
    assert.match(String(open.body['changes']), /may no longer have sts tokens for translator/);
    assert.equal((await hand.read()).version, version);
    const named = { ...body, confirm: ['many-callers-touched'] };
    assert.equal((await hand.put(named, version)).status, 200);
    await hand.rollBack(version);
  });

  test('is repeated safely when its answer was lost, and refused to whoever changed another version', async () => {
    const { version, policy } = await hand.read();
    const body = { policy: without(policy, 'reading'), reason: 'reading is over' };
    const [first, again] = [await hand.put(body, version), await hand.put(body, version)];
    assert.deepEqual([first.status, again.status], [200, 200]);
    assert.equal(again.body['already'], true);
    assert.equal(again.body['version'], first.body['version']);
    const late = await hand.put({ policy: without(policy, 'nightly'), reason: 'x' }, version);
    assert.equal(late.status, 412);
    assert.equal(late.body['inForce'], first.body['version']);
    await hand.rollBack(version);
  });

  test('of two at once, one is in force and the other is told', async () => {
    const { version, policy } = await hand.read();
    const answers = await Promise.all(
      ['reading', 'nightly', 'researchers'].map((grant, index) =>
        hand.put({ policy: without(policy, grant), reason: grant }, version, {
          broker: stack.description.instances[index] ?? '',
        }),
      ),
    );
    const winners = answers.filter(({ status }) => status === 200);
    assert.equal(winners.length, 1, JSON.stringify(answers));
    assert.ok(answers.every(({ status }) => status === 200 || status === 412));
    assert.equal((await hand.read()).version, winners[0]?.body['version']);
    await hand.rollBack(version);
  });

  test('may be sent as a patch of what is in force', async () => {
    const { version, policy } = await hand.read();
    const at = policy.grants.findIndex(({ name }) => name === 'reading');
    const patch = [
      { op: 'test', path: `/grants/${at}/name`, value: 'reading' },
      { op: 'remove', path: `/grants/${at}` },
    ];
    const put = await hand.put({ patch, reason: 'as a patch' }, version);
    assert.equal(put.status, 200, JSON.stringify(put.body));
    assert.equal((await hand.put({ patch, reason: 'as a patch' }, version)).body['already'], true);
    assert.deepEqual((await hand.read()).policy, without(policy, 'reading'));
    await hand.rollBack(version);
  });

  test('without If-Match, of no policy or by nobody who may, changes nothing', async () => {
    const { version, policy } = await hand.read();
    const body = JSON.stringify({ policy: without(policy, 'nightly'), reason: 'x' });
    assert.equal((await asked('/operator/policy', 'publisher', { method: 'PUT', body })).status, 428);
    const headers = { 'if-match': `"${version}"` };
    assert.equal((await asked('/operator/policy', 'operator', { method: 'PUT', body, headers })).status, 403);
    assert.equal((await asked('/operator/policy', 'captions')).status, 403);
    const back = JSON.stringify({ version, reason: 'x' });
    assert.equal(
      (await asked('/operator/policy/rollback', 'publisher', { method: 'POST', body: back })).status,
      403,
    );
    const wrong = await hand.put({ policy: { ...policy, tenants: [], surprise: 1 }, reason: 'x' }, version);
    assert.equal(wrong.status, 422);
    const problems = wrong.body['problems'] as readonly string[];
    assert.ok(
      problems.some((text) => text.includes('surprise')) && problems.some((text) => text.includes('tenant')),
    );
    const unknown = await hand.rollBack('0'.repeat(64));
    assert.equal(unknown.status, 404);
    assert.equal((await hand.read()).version, version);
  });

  test('is on record with who and why, and each exchange with the version that decided', async () => {
    const { version, policy } = await hand.read();
    const put = await hand.put({ policy: without(policy, 'reading'), reason: 'on record' }, version);
    const next = String(put.body['version']);
    assert.deepEqual(await everywhere(), [200, 200, 200]);
    const { body } = await asked('/operator/audit?limit=1000', 'auditor');
    const records = body['items'] as readonly Record<string, unknown>[];
    const act = records.findLast((record) => record['act'] === 'apply policy');
    assert.deepEqual([act?.['reason'], act?.['target'], act?.['outcome']], ['on record', next, 'done']);
    // An exchange that meets the change has a record of each version, and the later one is of the token that left.
    const granted = records.filter(
      ({ resource, outcome }) => resource === 'translator' && outcome === 'granted',
    );
    const decided = new Map(granted.map(({ correlationId, policy }) => [correlationId, policy]));
    assert.deepEqual([...new Set([...decided.values()].slice(-3))], [next.slice(0, 12)]);
    await hand.rollBack(version);
  });

  test('is followed by the rotator, and an account that comes back has its row and its history', async () => {
    const rotation = rotationOf(stack);
    await rotation.tick();
    const row = await rotation.row('speech');
    assert.ok(row);
    const before = await hand.read();
    await hand.change((policy) => {
      policy.resources = policy.resources.filter(({ name }) => name !== 'speech');
      policy.grants = policy.grants.flatMap((grant) => {
        const resources = grant.resources.filter((name) => name !== 'speech');
        return resources.length === 0 ? [] : [{ ...grant, resources }];
      });
    });
    const { last } = await rotation.requests();
    await rotation.tick();
    const { requests } = await rotation.requests(last);
    assert.ok(
      requests.some(({ operation, resource }) => operation === 'listKeys' && resource === 'translator'),
    );
    assert.deepEqual(
      requests.filter(({ operation, resource }) => operation === 'listKeys' && resource === 'speech'),
      [],
      'the keys of an account that has left the policy are not touched',
    );
    assert.deepEqual((await rotation.row('speech'))?.state, row.state, 'its row stays');
    assert.equal((await hand.rollBack(before.version)).status, 200);
    await rotation.tick();
    assert.equal((await rotation.row('speech'))?.state.generation, row.state.generation);
    assert.equal((await stack.exchange(await stack.callerToken('captions'), 'speech')).status, 200);
  });
});
