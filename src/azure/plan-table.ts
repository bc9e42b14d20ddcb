/** The plan rows, in partition `plan` of table `rotation`, and the history as it is read for people. */
import * as z from 'zod';
import { type PlanReader, type PlanRow, type PlanWriter, planRowSchema } from '../rotation/plan-row.ts';
import type { HistoryEntry } from '../rotation/state.ts';
import { call } from './call.ts';
import { entrySchema, json } from './rotation-row.ts';
import type { Tables } from './tables.ts';

const PARTITION = 'plan';
/** Each call has a deadline. Thousands that start together would all miss it. */
const AT_ONCE = 16;

const planShape = z.object({ plan: json(planRowSchema) });
const entryShape = z.object({ entry: json(entrySchema) });

/** For the rotator app. */
export function createPlanWriter(tables: Tables): PlanWriter {
  return {
    async write(rows) {
      // One row each, for a transaction needs more rights than a role for one table gives.
      for (let from = 0; from < rows.length; from += AT_ONCE)
        await Promise.all(
          rows.slice(from, from + AT_ONCE).map((row) =>
            call('tables', 'write plan', async (abortSignal) => {
              const table = await tables('rotation');
              const entity = { partitionKey: PARTITION, rowKey: row.account, plan: JSON.stringify(row) };
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
    all: () =>
      call('tables', 'read plans', async (abortSignal) => {
        const table = await tables('rotation');
        const found: PlanRow[] = [];
        const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
        for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
          const row = planShape.safeParse(entity).data?.plan;
          // One that somebody edited counts as not seen, until the next tick writes it.
          if (row !== undefined) found.push(row);
        }
        return found;
      }),
    history: (account, most) =>
      call('tables', 'read history', async (abortSignal) => {
        const table = await tables('history');
        const found: HistoryEntry[] = [];
        const queryOptions = { filter: `PartitionKey eq '${account.replaceAll("'", "''")}'` };
        for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
          if (found.length >= most) break;
          const entry = entryShape.safeParse(entity).data?.entry;
          if (entry !== undefined) found.push({ account, ...entry });
        }
        return found;
      }),
  };
}
