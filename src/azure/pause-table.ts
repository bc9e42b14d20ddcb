/** What operators have said of the rotation of an account, in table `state`, partition `pause`: one row an account. */
import * as z from 'zod';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../clocks.ts';
import type { Pause, Pauses } from '../rotation/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

const PARTITION = 'pause';
/** When others keep changing the row, so many times it is read and written; then it counts as an outage. */
const MAX_ROUNDS = 10;

const rowShape = z.object({
  paused: z.boolean(),
  by: z.string(),
  reason: z.string(),
  at: z.iso.datetime(),
});

/**
 * The clocks of two instances may differ, so a pause that was asked for last can carry the earlier time. It must count,
 * because its operator is told that it is in force. Only what is older by more than clocks differ is left out.
 */
const isOlder = (one: Pause, than: Pause): boolean =>
  Date.parse(one.at) < Date.parse(than.at) - MAX_CLOCKS_DIFFER_SECONDS * 1000;

export function createPauses(tables: Tables): Pauses {
  const read = (account: string) =>
    call('tables', 'read pause', async (abortSignal) => {
      const table = await tables('state');
      try {
        const row = await table.getEntity(PARTITION, account, { abortSignal });
        return { etag: row.etag, pause: rowShape.safeParse(row).data };
      } catch (error) {
        if (isNoSuchEntity(error)) return undefined;
        throw error;
      }
    });
  return {
    all: () =>
      call('tables', 'read pauses', async (abortSignal) => {
        const table = await tables('state');
        const found = new Map<string, Pause>();
        const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
        for await (const row of table.listEntities({ queryOptions, abortSignal })) {
          // A row that somebody edited says nothing, so the policy counts.
          const pause = rowShape.safeParse(row).data;
          if (pause !== undefined) found.set(String(row.rowKey), pause);
        }
        return found;
      }),
    async say(account, pause) {
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const there = await read(account);
        if (there?.pause !== undefined && isOlder(pause, there.pause)) return;
        const written = await call('tables', 'write pause', async (abortSignal) => {
          const table = await tables('state');
          const row = { partitionKey: PARTITION, rowKey: account, ...pause };
          return there === undefined
            ? table.createEntity(row, { abortSignal }).catch(unless(409))
            : table.updateEntity(row, 'Replace', { etag: there.etag, abortSignal }).catch(unless(412));
        });
        if (written !== undefined) return;
      }
      throw new UpstreamFailure('tables', 'others keep changing the pause of one account');
    },
  };
}
