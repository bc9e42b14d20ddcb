/** What the trials of demand-kill.ts act in: a demand placed as an operator or Event Grid does, and how it looks. */
import { setTimeout as wait } from 'node:timers/promises';
import { accountKey } from '../../src/account-key.ts';
import { createPlanReader } from '../../src/azure/plan-table.ts';
import { createPublishedRows, createRotationStore } from '../../src/azure/rotation-store.ts';
import { createTables } from '../../src/azure/tables.ts';
import { type Demand, demandShape } from '../../src/demand/demand.ts';
import type { Slot } from '../../src/ports.ts';
import type { HistoryEntry, RotationState } from '../../src/rotation/state.ts';
import { sha256 } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { deliver, ownEvent } from '../local/local-mode.ts';
import { VAULT_SCOPE } from './rotation-load.ts';
import type { Stack } from './stack.ts';

export interface Sight {
  readonly state: RotationState;
  /** The slot whose use is ended, as exchanges are told. */
  readonly retiring: Slot | undefined;
  readonly history: readonly HistoryEntry[];
}

export interface Logged {
  readonly n: number;
  readonly at: string;
  readonly service: string;
  readonly operation: string;
  readonly resource: string | null;
  readonly status: number;
  readonly by: string | null;
  readonly keyFingerprint: string | null;
  readonly fault: string | null;
}

export interface DemandScene {
  sight(resource: string): Promise<Sight>;
  /** Whatever its outcome; undefined: no row was inserted. */
  demandBecause(reason: string): Promise<Demand | undefined>;
  /** As an operator. @returns the status; 0: no answer came */
  place(
    broker: string,
    resource: string,
    body: { readonly slot?: Slot; readonly emergency?: boolean; readonly reason: string },
  ): Promise<number>;
  /** The event that the key in the vault has leaked, delivered once. @returns the status; 0: no answer came */
  leak(broker: string, event: unknown): Promise<number>;
  leakOf(resource: string): Promise<unknown>;
  /** A tick of the rotator's, to its end. @param gone resolves when its process is gone: then nothing is waited for */
  tick(gone?: Promise<void>): Promise<void>;
  requests(after: number): Promise<{ readonly requests: readonly Logged[]; readonly last: number }>;
}

const MAX_READS = 5;
const READ_PAUSE_MS = 500;

/** On a machine that is busy elsewhere one read of the test's own may take longer than an app would wait for it. */
function patient<Answer>(read: (of: string) => Promise<Answer>): (of: string) => Promise<Answer> {
  return async (of) => {
    for (let reads = 1; ; reads += 1) {
      try {
        return await read(of);
      } catch (error) {
        if (!(error instanceof UpstreamFailure) || reads === MAX_READS) throw error;
        await wait(READ_PAUSE_MS);
      }
    }
  };
}

/** Longer than a tick may take. */
const MAX_TICK_MS = 60_000;

export function demandScene(stack: Stack): DemandScene {
  const { tables: url, resources, apps, keyVault } = stack.description;
  const tables = createTables(url, {
    getToken: () => Promise.reject(new Error('on loopback no credential is asked for')),
  });
  const machine = createRotationStore(tables);
  const told = createPlanReader(tables);
  const published = createPublishedRows(tables);
  const rotator = apps.rotator[0] ?? '';
  const keyOf = (resource: string): string =>
    accountKey(resources.find(({ name }) => name === resource)?.accountId ?? '');

  const beginTick = async (): Promise<boolean> => {
    const answer = await fetch(`${rotator}/admin/functions/rotate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: '' }),
    }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 202;
  };
  return {
    sight: patient(async (resource) => {
      // By a query of all rows, so that a fault of reading one does not strike it.
      const row = (await machine.all()).get(keyOf(resource));
      const shown = (await published.all()).get(keyOf(resource));
      if (typeof row !== 'object' || typeof shown !== 'object')
        throw new Error(`the rows of ${resource} cannot be read`);
      const history = await told.history(keyOf(resource), 100);
      return { state: row.state, retiring: shown.state.retiring, history };
    }),
    demandBecause: patient(async (reason) => {
      const table = await tables('demands');
      for await (const row of table.listEntities()) {
        const demand = demandShape.parse(JSON.parse(String(row['demand'])));
        if (demand.reason === reason) return demand;
      }
      return undefined;
    }),
    place: async (broker, resource, body) => {
      const authorization = `Bearer ${await stack.callerToken('operator')}`;
      const answer = await fetch(`${broker}/operator/accounts/${resource}/rotate`, {
        method: 'POST',
        headers: { authorization },
        body: JSON.stringify(body),
      }).catch(() => undefined);
      await answer?.arrayBuffer().catch(() => undefined);
      return answer?.status ?? 0;
    },
    leakOf: async (resource) => {
      const secret = resources.find(({ name }) => name === resource)?.secret;
      const answer = await fetch(`${keyVault}/secrets/${secret}?api-version=7.6`, {
        headers: { authorization: `Bearer ${await stack.callerToken('operator', VAULT_SCOPE)}` },
      });
      const { value } = (await answer.json()) as { value: string };
      return ownEvent('KeyLeaked', { sha256: sha256(value), resource, reason: 'found in a public place' });
    },
    leak: (broker, event) => deliver(broker, [event]).catch(() => 0),
    tick: async (gone) => {
      let isGone = false;
      void gone?.then(() => {
        isGone = true;
      });
      const from = stack.log().length;
      while (!isGone && !(await beginTick())) await wait(50);
      const giveUpAtMs = performance.now() + MAX_TICK_MS;
      while (!isGone && !stack.log().includes("Executed 'Functions.rotate'", from)) {
        if (performance.now() > giveUpAtMs) throw new Error('a tick does not end');
        await wait(20);
      }
    },
    requests: async (after) =>
      (await stack.control('GET', `/requests?after=${after}`)) as Awaited<
        ReturnType<DemandScene['requests']>
      >,
  };
}
