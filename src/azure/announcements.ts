/** What running instances can read of a policy, in table `state`, partition `reader`: one row an instance. */
import * as z from 'zod';
import type { Announced, Announcements } from '../policy/store.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { unless } from './table-status.ts';
import { int64, type Tables } from './tables.ts';

const PARTITION = 'reader';
const rowShape = z.object({ rowKey: z.string(), members: z.string() });

export function createAnnouncements(tables: Tables): Announcements {
  const rows = (filter: string) =>
    call('tables', 'read announcements', async (abortSignal) => {
      const table = await tables('state');
      const found: Announced[] = [];
      const queryOptions = { filter: `PartitionKey eq '${PARTITION}' and ${filter}` };
      for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
        const row = rowShape.safeParse(entity);
        // To leave it out would put a policy in force that this instance may not be able to read.
        if (!row.success) throw new UpstreamFailure('tables', 'an announcement cannot be read');
        found.push({ instance: row.data.rowKey, members: row.data.members.split(' ') });
      }
      return found;
    });
  return {
    say: ({ instance, members }, untilMs) =>
      call('tables', 'announce', async (abortSignal) => {
        const table = await tables('state');
        const row = {
          partitionKey: PARTITION,
          rowKey: instance,
          members: members.join(' '),
          untilMs: int64(untilMs),
        };
        await table.upsertEntity(row, 'Replace', { abortSignal });
      }),
    alive: (nowMs) => rows(`untilMs gt ${Math.round(nowMs)}L`),
    async sweep(nowMs) {
      for (const { instance } of await rows(`untilMs le ${Math.round(nowMs)}L`))
        await call('tables', 'sweep announcements', async (abortSignal) => {
          const table = await tables('state');
          await table.deleteEntity(PARTITION, instance, { abortSignal }).catch(unless(404));
        });
    },
  };
}
