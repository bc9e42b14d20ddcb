/**
 * An instance killed (`kill -9`) at each step of a change of the policy: `node test/flows/policy-kill.ts --rounds 3`.
 *
 * The step has done its work, and its instance dies before it has the answer. Afterwards there is one version in force,
 * a whole one; the publisher sends the same change to another instance, and it is in force everywhere.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { createPolicyStore } from '../../src/azure/policy-store.ts';
import { createTables, type Tables } from '../../src/azure/tables.ts';
import { readCommandLine } from '../../src/command-line.ts';
import { compact, versionOf } from '../../src/policy/version.ts';
import type { TableName } from '../../src/table-names.ts';
import { type PolicyHand, policyHand } from './policy-hand.ts';
import { type Processes, processesOf } from './processes.ts';
import { NO_TIMER } from './rotation-hand.ts';
import { type Stack, startStack } from './stack.ts';

/** What a step has done, as the tables show it: the log of the services has a call only when it is answered. */
type Done = (tables: Tables, next: string, before: Before) => Promise<boolean>;
interface Before {
  readonly head: string | undefined;
  readonly serial: number;
}
const some = async (tables: Tables, table: TableName, filter: string, holds: (row: object) => boolean) => {
  for await (const row of (await tables(table)).listEntities({ queryOptions: { filter } }))
    if (holds(row)) return true;
  return false;
};
const headOf = async (tables: Tables) => (await (await tables('state')).getEntity('head', 'head')).etag;

/** In the order of an apply. */
export const STEPS: readonly { readonly step: string; readonly operation: string; readonly done: Done }[] = [
  {
    step: 'keep',
    operation: 'InsertEntity policy',
    done: (tables, next) => some(tables, 'policy', `PartitionKey eq '${next}'`, () => true),
  },
  {
    step: 'history',
    operation: 'InsertEntity policy',
    done: (tables, _, { serial }) =>
      some(tables, 'policy', `PartitionKey eq 'history' and serial eq ${serial}`, () => true),
  },
  {
    step: 'pointer',
    operation: 'UpdateEntity state',
    done: (tables, next) =>
      some(tables, 'state', `PartitionKey eq 'policy' and version eq '${next}'`, () => true),
  },
  {
    step: 'head',
    operation: 'InsertOrReplaceEntity state',
    done: async (tables, _, { head }) => (await headOf(tables)) !== head,
  },
  {
    step: 'audit',
    operation: 'InsertEntity audit',
    done: (tables, next) => some(tables, 'audit', '', (row) => JSON.stringify(row).includes(next)),
  },
];
type Step = (typeof STEPS)[number];

export interface PolicyKills {
  readonly kills: number;
  /** After how many of them the change was in force already. */
  readonly inForce: Readonly<Record<string, number>>;
  readonly seconds: number;
}
const INSTANCES = 2;
/** Longer than the kill takes, and shorter than a call is waited for. */
const HELD_MS = 1_200;
const MAX_WAIT_MS = 60_000;

interface Scene {
  readonly stack: Stack;
  readonly hand: PolicyHand;
  readonly processes: Processes;
}

/** @throws AssertionError where a kill leaves anything but one whole version */
export async function killInApplies(rounds: number, steps: readonly Step[] = STEPS): Promise<PolicyKills> {
  const startedAt = performance.now();
  await using stack = await startStack(['--instances', String(INSTANCES)], NO_TIMER);
  await stack.warm();
  const scene = { stack, hand: await policyHand(stack), processes: processesOf(stack) };
  const inForce: Record<string, number> = {};
  let kills = 0;
  for (let round = 0; round < rounds; round += 1)
    for (const step of steps) {
      kills += 1;
      if (await killAt(scene, step, `kill${kills}`)) inForce[step.step] = (inForce[step.step] ?? 0) + 1;
    }
  return { kills, inForce, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

/** @returns whether the change was in force when its instance had died */
async function killAt({ stack, hand, processes }: Scene, step: Step, region: string): Promise<boolean> {
  const victim = `instance-${INSTANCES}`;
  const [other = '', dying = ''] = stack.description.instances;
  const { version, policy } = await hand.read();
  const resources = policy.resources.map((one) => (one['name'] === 'speech' ? { ...one, region } : one));
  const change = { policy: { ...policy, resources }, reason: region };
  const tables = createTables(stack.description.tables, {
    getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
  });
  const store = createPolicyStore(tables);
  const pointer = await store.pointer();
  const before = { head: await headOf(tables), serial: pointer?.serial ?? 0 };
  const next = versionOf(compact(change.policy));
  await processes.mayKill(victim);
  await stack.control('PUT', '/faults/tables', { mode: 'slow', delayMs: HELD_MS, operation: step.operation });
  const sent = hand.put(change, version, { broker: dying }).then(
    ({ status }) => status,
    () => 0,
  );
  const giveUpAtMs = performance.now() + MAX_WAIT_MS;
  while (!(await step.done(tables, next, before))) {
    assert.ok(performance.now() < giveUpAtMs, `${step.step} is never done:\n${stack.log().slice(-2000)}`);
    await wait(5);
  }
  processes.kill(victim);
  assert.equal(await sent, 0, `nobody answers at ${step.step}`);
  await stack.control('DELETE', '/faults');

  // Until the head is bumped, the other instance may decide by the version before.
  const after = await hand.read();
  const pointed = (await store.pointer())?.version;
  assert.ok([version, next].includes(after.version), 'one of the two, and a whole one');
  assert.ok(pointed === version || pointed === next);
  const again = await hand.put(change, version, { broker: other });
  assert.equal(again.status, 200, `${step.step}: ${JSON.stringify(again.body)}`);
  assert.equal(again.body['already'], pointed === next);
  await processes.isBack(victim);
  for (const broker of stack.description.instances) {
    const answer = await stack.exchange(await stack.callerToken('captions'), 'speech', {}, broker);
    assert.equal(answer.body['region'], region, `${step.step}: ${answer.text}`);
  }
  const late = await hand.put({ ...change, reason: 'late' }, '0'.repeat(64), { broker: other });
  assert.equal(late.status, 200, 'what is in force already is answered so to whoever sends it');
  return pointed === next;
}

if (import.meta.main) {
  const usage = `node test/flows/policy-kill.ts [--rounds N]

  --rounds N  how often an instance is killed at each step of a change (default 3)`;
  const { values } = readCommandLine(usage, { options: { rounds: { type: 'string', default: '3' } } });
  console.log(JSON.stringify(await killInApplies(Number(values.rounds))));
}
