/**
 * The operations, in table `operations`, whose rows the issuer app can only add. Partitions `begun` and `ended` have
 * one row an operation, under the operation's id with its digits turned round, so that the newest comes first; `key`
 * has one an Idempotency-Key.
 */
import * as z from 'zod';
import {
  begunShape,
  type Claim,
  endedShape,
  type Kept,
  type OperationBook,
} from '../operations/operation.ts';
import { call } from './call.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import { int64, type Tables } from './tables.ts';

const claimShape = z.object({ id: z.string(), at: z.string(), request: z.string() });
const json = z.string().transform((text): unknown => JSON.parse(text));
const begunRow = z.object({ rowKey: z.string(), text: json.pipe(begunShape) });
const endedRow = z.object({ rowKey: z.string(), text: json.pipe(endedShape) });

type Partition = 'begun' | 'ended' | 'key';

/** 0 for f, 1 for e, and so on: what was the highest key is now the lowest. Twice, it is the id again. */
const turned = (id: string): string =>
  id.replace(/[0-9a-f]/g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16));

export function createOperationBook(tables: Tables): OperationBook {
  /** What was written first stays. */
  const add = (what: string, partitionKey: Partition, rowKey: string, value: object, at: string) =>
    call('tables', what, async (abortSignal) => {
      const table = await tables('operations');
      const row = { partitionKey, rowKey, text: JSON.stringify(value), atMs: int64(Date.parse(at)) };
      return (await table.createEntity(row, { abortSignal }).catch(unless(409))) !== undefined;
    });
  const read = <Value>(partition: Partition, rowKey: string, shape: z.ZodType<Value>) =>
    call('tables', 'find operation', async (abortSignal) => {
      const table = await tables('operations');
      try {
        return shape.parse(
          JSON.parse(String((await table.getEntity(partition, rowKey, { abortSignal }))['text'])),
        );
      } catch (error) {
        if (isNoSuchEntity(error)) return undefined;
        throw error;
      }
    });
  /** The rows of a partition in a range of keys, at most `most`. */
  const range = <Row>(filter: string, most: number, shape: z.ZodType<Row>) =>
    call('tables', 'list operations', async (abortSignal) => {
      const table = await tables('operations');
      const found: Row[] = [];
      for await (const row of table.listEntities({ queryOptions: { filter }, abortSignal })) {
        if (found.length >= most) break;
        found.push(shape.parse(row));
      }
      return found;
    });

  return {
    async claim(key, claim) {
      if (await add('claim operation', 'key', key, claim, claim.at)) return claim;
      // Swept between the two: it was claimed so long ago that it counts for nothing.
      return (await read<Claim>('key', key, claimShape)) ?? claim;
    },
    begin: async (begun) => void (await add('begin operation', 'begun', turned(begun.id), begun, begun.at)),
    end: async (id, ended) => void (await add('end operation', 'ended', turned(id), ended, ended.at)),
    async find(id) {
      const [begun, ended] = await Promise.all([
        read('begun', turned(id), begunShape),
        read('ended', turned(id), endedShape),
      ]);
      return begun === undefined ? undefined : { begun, ended };
    },
    async list(after, most) {
      const from = after === undefined ? '' : ` and RowKey gt '${turned(after)}'`;
      const begun = await range(`PartitionKey eq 'begun'${from}`, most, begunRow);
      const [first, last] = [begun[0], begun.at(-1)];
      if (first === undefined || last === undefined) return [];
      const filter = `PartitionKey eq 'ended' and RowKey ge '${first.rowKey}' and RowKey le '${last.rowKey}'`;
      const ended = new Map((await range(filter, most, endedRow)).map((row) => [row.rowKey, row.text]));
      return begun.map(({ rowKey, text }): Kept => ({ begun: text, ended: ended.get(rowKey) }));
    },
  };
}

/** For the rotator app, which alone can remove rows of it: those of before. */
export const createSweepOperations = (tables: Tables) => (beforeMs: number) =>
  call(
    'tables',
    'sweep operations',
    async (abortSignal) => {
      const table = await tables('operations');
      const queryOptions = {
        filter: `atMs lt ${Math.floor(beforeMs)}L`,
        select: ['PartitionKey', 'RowKey'],
      };
      for await (const { partitionKey, rowKey } of table.listEntities({ queryOptions, abortSignal }))
        await table.deleteEntity(String(partitionKey), String(rowKey), { abortSignal }).catch(unless(404));
    },
    // The next sweep removes what this one did not reach.
    { deadlineMs: 30_000, attempts: 1 },
  );
