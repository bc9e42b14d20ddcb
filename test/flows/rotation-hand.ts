/** The rotation of a running local mode, driven and watched by hand. */
import assert from 'node:assert/strict';
import { accountKey } from '../../src/account-key.ts';
import { createDemandBook } from '../../src/azure/demand-table.ts';
import { createRotationStore } from '../../src/azure/rotation-store.ts';
import { createTables } from '../../src/azure/tables.ts';
import type { Slot } from '../../src/ports.ts';
import type { StoredRow } from '../../src/rotation/state.ts';
import type { Stack } from './stack.ts';

/** On a leap day: whoever starts a local mode with it makes the ticks. */
export const NO_TIMER = { BROKER_ROTATION_SCHEDULE: '0 0 0 29 2 *' };

export interface Logged {
  readonly at: string;
  readonly operation: string;
  readonly resource: string;
  readonly status: number;
  readonly keyFingerprint: string | null;
  readonly fault?: string;
}

export interface RotationHand {
  /** By a query of all rows, so that a fault of reading one does not strike it. */
  row(name: string): Promise<StoredRow | undefined>;
  fenceOf(name: string): Promise<number>;
  /**
   * As an operator, and until the rotator has carried it out. False: it is not begun, and the demand says why.
   * @param meanwhile while the demand waits, because a driver is at this resource
   */
  begin(name: string, slot?: Slot, meanwhile?: () => Promise<void>): Promise<boolean>;
  /** Starts a tick on each of these instances at once. @returns whether all are over */
  begun(instances?: readonly string[]): Promise<() => boolean>;
  /** The same, to their end. */
  tick(instances?: readonly string[]): Promise<void>;
  /** What the simulated services were asked after entry `after`. */
  requests(after?: number): Promise<{ readonly requests: readonly Logged[]; readonly last: number }>;
}

export function rotationOf(stack: Stack): RotationHand {
  const { broker, tables, resources } = stack.description;
  const atAzurite = createTables(tables, {
    getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
  });
  const store = createRotationStore(atAzurite);
  const demands = createDemandBook(atAzurite);
  const row = async (name: string): Promise<StoredRow | undefined> => {
    const account = resources.find((one) => one.name === name);
    const found = (await store.all()).get(accountKey(account?.accountId ?? ''));
    return found === 'unreadable' ? assert.fail(`the row of ${name} cannot be read`) : found;
  };
  const startTicks = async (instances: readonly string[] = [broker]): Promise<() => boolean> => {
    const wanted = ended(stack) + instances.length;
    // The host answers when it has begun; its log tells when it is over.
    for (const status of await Promise.all(instances.map((instance) => byHand(instance, 'rotate', ''))))
      assert.equal(status, 202);
    return () => ended(stack) >= wanted;
  };
  return {
    row,
    fenceOf: async (name) => (await row(name))?.lease.fence ?? 0,
    begin: async (name, slot, meanwhile = async () => undefined) => {
      const headers = { authorization: `Bearer ${await stack.callerToken('operator')}` };
      const answer = await fetch(`${broker}/operator/accounts/${name}/rotate`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ slot, reason: 'by hand' }),
      });
      assert.equal(answer.status, 202, stack.log().slice(-3000));
      const { operation: id } = (await answer.json()) as { operation: string };
      for (;;) {
        const demand = (await demands.find(id)) ?? assert.fail(`no demand ${id}`);
        if (demand.state === 'notBegun' || demand.state === 'failed') return false;
        if (demand.state !== 'waiting' && demand.state !== 'running') return true;
        if (demand.state === 'waiting') {
          if (demand.why !== '') await meanwhile();
          await byHand(broker, 'demands', JSON.stringify({ id }));
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    begun: startTicks,
    tick: async (instances) => {
      const isOver = await startTicks(instances);
      while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    requests: async (after = 0) =>
      (await stack.control('GET', `/requests?after=${after}`)) as Awaited<
        ReturnType<RotationHand['requests']>
      >,
  };
}

/** Runs a function by hand. @returns the status; 202: it has begun */
async function byHand(host: string, name: string, input: string): Promise<number> {
  const { status } = await fetch(`${host}/admin/functions/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
  });
  return status;
}

const EXECUTED = "Executed 'Functions.rotate'";
/** How many there were before this place of the log, which grows long and is looked at often. */
const seen = new WeakMap<Stack, { count: number; at: number }>();

function ended(stack: Stack): number {
  const known = seen.get(stack) ?? { count: 0, at: 0 };
  seen.set(stack, known);
  const log = stack.log();
  for (let at = log.indexOf(EXECUTED, known.at); at >= 0; at = log.indexOf(EXECUTED, known.at)) {
    known.count += 1;
    known.at = at + EXECUTED.length;
  }
  return known.count;
}
