/**
 * Sets an emergency mark in an account's published row (rotation/publish.ts), with the issuer's identity. It changes
 * the columns of the marks, `epoch` and `retiring`, on the row's ETag, and leaves the others as they are.
 */
import * as z from 'zod';
import type { EmergencyMark, Head, Slot } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { MOVED, marksSchema, ROTATION_PARTITION } from './rotation-row.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

/** When the rotator keeps writing the row, so many reads and conditional writes are tried; then it counts as an outage. */
const MAX_ROUNDS = 10;

const rowSchema = marksSchema.extend({
  etag: z.string(),
  generation: z.int(),
  epoch: z.int(),
  retiring: z.enum(['Key1', 'Key2', '']),
  active: z.enum(['Key1', 'Key2']),
  last: z.string(),
});
type Row = z.infer<typeof rowSchema>;

export function createEmergencyMark(tables: Tables, head: Head): EmergencyMark {
  const read = (account: string): Promise<Row | undefined> =>
    call('tables', 'read rotation', async (abortSignal) => {
      const table = await tables('state');
      try {
        const row = rowSchema.safeParse(await table.getEntity(ROTATION_PARTITION, account, { abortSignal }));
        if (!row.success) throw new UpstreamFailure('tables', 'a rotation row cannot be read');
        return row.data;
      } catch (error) {
        if (isNoSuchEntity(error)) return undefined;
        throw error;
      }
    });
  /** One attempt only: a mark whose answer was lost is set once more by the whole request, and that does no harm. */
  const write = (account: string, row: Row, slot: Slot, demand: string): Promise<boolean> =>
    call(
      'tables',
      'mark rotation',
      async (abortSignal) => {
        const table = await tables('state');
        const columns = {
          epoch: row.epoch + 1,
          // A mark of the active slot hides one of the other slot, with which nothing is bought anyway.
          retiring: row.retiring === row.active ? row.active : slot,
          [`marks${slot}`]: row[`marks${slot}`] + 1,
          [`demand${slot}`]: demand,
        };
        const marked = { partitionKey: ROTATION_PARTITION, rowKey: account, ...columns };
        const options = { etag: row.etag, abortSignal };
        return (await table.updateEntity(marked, 'Merge', options).catch(unless(404, 412))) !== undefined;
      },
      { attempts: 1 },
    );

  return {
    mark: async (account, slot, demand) => {
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const row = await read(account);
        if (row === undefined || row.generation === 0 || row.last !== MOVED) return 'unmarked';
        const marked = slot ?? row.active;
        if (!(await write(account, row, marked, demand))) continue;
        await head.bump();
        return { slot: marked };
      }
      throw new UpstreamFailure('tables', 'others keep writing a rotation row', 0, 5);
    },
  };
}
