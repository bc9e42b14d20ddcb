/**
 * The plans, in partition `plan` of table `rotation`, and the history as it is read for people. A row holds the plans of
 * a sixty-fourth of the accounts: with a row for each, a tick over a thousand accounts took twice as long.
 */
import * as z from 'zod';
import { type PlanReader, type PlanRow, type PlanWriter, planRowSchema } from '../rotation/plan-row.ts';
import type { HistoryEntry } from '../rotation/state.ts';
import { sha256 } from '../secret.ts';
import { call } from './call.ts';
import { chunks, joined } from './chunks.ts';
import { entrySchema, json, newestFirst } from './rotation-row.ts';
import type { Tables } from './tables.ts';

const PARTITION = 'plan';
/** So many rows. One has room for some thousand plans: a mebibyte. */
const ROWS = 64;
const rowOf = (account: string): string =>
  String(Number.parseInt(sha256(account).slice(0, 8), 16) % ROWS).padStart(2, '0');

const plansShape = z.object({ rowKey: z.string(), plans: json(z.array(planRowSchema)) });
const entryShape = z.object({ entry: json(entrySchema) });

/** By their row. One that somebody edited counts as empty, until the next tick writes it. */
async function readRows(tables: Tables): Promise<Map<string, readonly PlanRow[]>> {
  return call('tables', 'read plans', async (abortSignal) => {
    const table = await tables('rotation');
    const found = new Map<string, readonly PlanRow[]>();
    const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
    for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
      const row = plansShape.safeParse({ ...entity, plans: joined('plans', entity) }).data;
      if (row !== undefined) found.set(row.rowKey, row.plans ?? []);
    }
    return found;
  });
}

/** For the rotator app. Of two that write the same row at once the last one wins, and the next tick makes it good. */
export function createPlanWriter(tables: Tables): PlanWriter {
  return {
    async lookedAtMs() {
      const plans = [...(await readRows(tables)).values()].flat();
      return new Map(plans.map(({ account, asOf }) => [account, Date.parse(asOf)]));
    },
    async write(plans) {
      const there = await readRows(tables);
      await Promise.all(
        [...Map.groupBy(plans, ({ account }) => rowOf(account))].map(([rowKey, some]) =>
          call('tables', 'write plans', async (abortSignal) => {
            const table = await tables('rotation');
            const kept = there
              .get(rowKey)
              ?.filter(({ account }) => !some.some((one) => one.account === account));
            const entity = {
              partitionKey: PARTITION,
              rowKey,
              ...chunks('plans', JSON.stringify([...(kept ?? []), ...some])),
            };
            await table.upsertEntity(entity, 'Replace', { abortSignal });
          }),
        ),
      );
    },
  };
}

/** For the issuer app. */
export function createPlanReader(tables: Tables): PlanReader {
  return {
    all: async () => [...(await readRows(tables)).values()].flat(),
    history: (account, most, before) =>
      call('tables', 'read history', async (abortSignal) => {
        const table = await tables('history');
        const found: HistoryEntry[] = [];
        const from = before === undefined ? '' : ` and RowKey gt '${newestFirst(before)}'`;
        const queryOptions = { filter: `PartitionKey eq '${account.replaceAll("'", "''")}'${from}` };
        for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
          if (found.length >= most) break;
          const entry = entryShape.safeParse(entity).data?.entry;
          if (entry !== undefined) found.push({ account, ...entry });
        }
        return found;
      }),
  };
}
