import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { cameFromHere, type History, type InForceNow } from '../../infra/policy-history.ts';
import { type Publication, putPolicy } from '../../infra/put-policy.ts';

const VERSION = 'a'.repeat(64);
const OLD = { grants: ['old'] };
const NEW = { grants: ['new'] };
const history: History = {
  earlier: [JSON.stringify(OLD), JSON.stringify({ grants: ['older'] })],
  isAncestor: (commit) => commit === 'abc1234',
};
const inForce: InForceNow = { version: VERSION, policy: OLD, how: 'applied' };
const wanted: Publication = {
  broker: 'https://broker.example',
  token: 'the-token',
  text: JSON.stringify(NEW),
  reason: 'r'.repeat(300),
  commit: 'def5678',
  confirm: ['whole-tenant-gains'],
  replace: undefined,
};

interface Sent {
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}
/** @param answers in their order; undefined: nothing answers */
function ports(...answers: readonly (readonly [status: number, body: object] | undefined)[]) {
  const sent: Sent[] = [];
  const slept: number[] = [];
  const left = [...answers];
  return {
    sent,
    slept,
    history: () => history,
    sleep: async (ms: number) => slept.push(ms),
    fetch: async (_: unknown, init: RequestInit = {}) => {
      const { method = 'GET', body } = init;
      sent.push({
        method,
        headers: new Headers(init.headers),
        body: body instanceof Uint8Array ? JSON.parse(gunzipSync(body).toString()) : undefined,
      });
      const answer = left.shift();
      if (answer === undefined) throw new TypeError('fetch failed');
      return Response.json(answer[1], { status: answer[0] });
    },
  };
}
const APPLIED = { version: 'b'.repeat(64), changes: ['the grant new is new'], touched: [] };

test('what came from this repository is replaced on the version that was read, and the changes are told', async () => {
  const world = ports([200, inForce], [200, APPLIED]);
  const { kind, lines } = await putPolicy(wanted, world);
  assert.equal(kind, 'in force');
  assert.deepEqual(lines, [`${'b'.repeat(64)} is in force on every instance`, 'the grant new is new']);
  const [, put] = world.sent;
  assert.equal(put?.headers.get('if-match'), `"${VERSION}"`);
  assert.deepEqual(put?.body, {
    policy: NEW,
    reason: 'r'.repeat(256),
    commit: 'def5678',
    confirm: ['whole-tenant-gains'],
  });
});

test('a policy that is in force already is not sent', async () => {
  const world = ports([200, { ...inForce, policy: NEW }]);
  assert.equal((await putPolicy(wanted, world)).kind, 'in force');
  assert.equal(world.sent.length, 1);
});

test('what an operator went back to is replaced only by name', async () => {
  const back = { ...inForce, how: 'rolled back', policy: { grants: ['older'] }, reason: 'an incident' };
  const world = ports([200, back]);
  const { kind, lines } = await putPolicy(wanted, world);
  assert.equal(kind, 'refused');
  assert.equal(world.sent.length, 1);
  assert.match(lines.join('\n'), /rolled back by somebody .*: an incident\n.*replace: a{12}$/);
  const named = ports([200, back], [200, APPLIED]);
  assert.equal((await putPolicy({ ...wanted, replace: 'a'.repeat(12) }, named)).kind, 'in force');
  const short = ports([200, back]);
  assert.equal((await putPolicy({ ...wanted, replace: 'a' }, short)).kind, 'refused');
});

test('a version came from here when an earlier commit has it, or when it says an ancestor', () => {
  const is = (now: Partial<InForceNow>) => cameFromHere({ ...inForce, ...now }, history);
  assert.ok(is({}));
  assert.ok(is({ policy: { grants: ['older'] } }));
  assert.ok(is({ how: 'packaged', policy: { grants: ['older'] } }));
  assert.ok(is({ policy: {}, commit: 'abc1234' }));
  assert.ok(is({ how: 'rolled back' }), 'the author has taken it over');
  assert.ok(!is({ how: 'rolled back', policy: { grants: ['older'] }, commit: 'abc1234' }));
  assert.ok(!is({ policy: {}, commit: 'fff0000' }));
  assert.ok(!is({ policy: {} }));
});

test('an outage is tried again, and what stays away is told apart from a refusal', async () => {
  const world = ports([503, {}], undefined, [200, inForce], [502, {}], [200, APPLIED]);
  assert.equal((await putPolicy(wanted, world)).kind, 'in force');
  assert.deepEqual(world.slept, [3_000, 6_000, 3_000]);
  assert.equal((await putPolicy(wanted, ports())).kind, 'out of reach');
});

test('a refusal is told with its problems, or with what must be confirmed', async () => {
  const confirmations = [{ name: 'many-callers-touched', why: '3 of the 5 callers' }];
  const open = await putPolicy(
    wanted,
    ports([200, inForce], [409, { detail: 'needs a yes', confirmations }]),
  );
  assert.equal(open.kind, 'refused');
  assert.match(open.lines.join('\n'), /3 of the 5 callers\n.*confirm: many-callers-touched$/);
  const invalid = await putPolicy(
    wanted,
    ports([200, inForce], [422, { detail: 'x', problems: ['grants: is missing'] }]),
  );
  assert.ok(invalid.lines.includes('grants: is missing'));
  for (const { lines } of [open, invalid]) assert.doesNotMatch(lines.join('\n'), /the-token/);
});
