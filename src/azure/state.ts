/** The head row, and the revocations and slots whose changes it announces, in table `state`. */
import * as z from 'zod';
import type { Head, SharedState, SlotState } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import type { ReadRevocations } from './revocation-rows.ts';
import type { Rows } from './rows.ts';
import type { Tables } from './tables.ts';

const HEAD = { partitionKey: 'head', rowKey: 'head' } as const;
/** The version before the first change, when there is no head row yet. */
const NEVER_BUMPED = 'never bumped';

const pointerRow = z.object({ rowKey: z.string(), version: z.string() });
const rotationRow = z.object({
  rowKey: z.string(),
  generation: z.number().int(),
  retiring: z.enum(['Key1', 'Key2', '']).default(''),
  epoch: z.number().int(),
  active: z.enum(['Key1', 'Key2']).default('Key1'),
  secret: z.string().default(''),
  secretVersion: z.string().default(''),
});

export function createState(
  tables: Tables,
  rows: Rows,
  readRevocations: (all: boolean) => Promise<ReadRevocations>,
): SharedState & Head {
  const version = (): Promise<string> =>
    call('tables', 'read head', async (signal) => {
      return (await rows.etag('state', HEAD.partitionKey, HEAD.rowKey, signal)) ?? NEVER_BUMPED;
    });

  const read = <Shape extends z.ZodObject>(partitionKey: string, shape: Shape): Promise<z.infer<Shape>[]> =>
    call('tables', `read ${partitionKey}`, async (abortSignal) => {
      const table = await tables('state');
      const found: z.infer<Shape>[] = [];
      const filter = `PartitionKey eq '${partitionKey}'`;
      // Exchanges need only these columns, which are less than half of a row's bytes.
      const select = Object.keys(shape.shape).map((name) => (name === 'rowKey' ? 'RowKey' : name));
      for await (const entity of table.listEntities({ queryOptions: { filter, select }, abortSignal })) {
        const row = shape.safeParse(entity);
        // A row that cannot be parsed may say that a slot's tokens must not be used. To leave it out would grant them.
        if (!row.success) throw new UpstreamFailure('tables', `a ${partitionKey} row cannot be read`);
        found.push(row.data);
      }
      return found;
    });

  // The write needs no condition: each bump gives the row a new ETag, in whichever order several of them arrive.
  const bump = (): Promise<void> =>
    call('tables', 'bump head', async (abortSignal) => {
      const table = await tables('state');
      await table.upsertEntity({ ...HEAD, nonce: crypto.randomUUID() }, 'Replace', { abortSignal });
    });

  /**
   * The load before. A head that has moved while nothing that stands behind it has changed was moved for a revocation
   * that is not in the log: it came a second time, or an instance from before there was a log wrote it, in the middle
   * of an upgrade. So all are loaded then.
   */
  let before: { readonly version: string; readonly rest: string } | undefined;

  return {
    version,
    load: async () => {
      let asOf = await version();
      // The first instance creates the row, because a 404 takes longer than an answer, in every exchange.
      if (asOf === NEVER_BUMPED) {
        await bump();
        asOf = await version();
      }
      const [logged, rotations, pointers] = await Promise.all([
        readRevocations(false),
        read('rotation', rotationRow),
        read('policy', pointerRow),
      ]);
      const rest = JSON.stringify([rotations, pointers]);
      const isExplained =
        before === undefined || before.version === asOf || logged.isNew || before.rest !== rest;
      const { entries: revocations } = isExplained ? logged : await readRevocations(true);
      before = { version: asOf, rest };
      return {
        version: asOf,
        revocations,
        slots: new Map(rotations.map((row) => [row.rowKey, asSlotState(row)])),
        policy: pointers[0]?.version,
      };
    },
    bump,
  };
}

function asSlotState(row: z.infer<typeof rotationRow>): SlotState {
  return {
    generation: row.generation,
    retiring: row.retiring === '' ? undefined : row.retiring,
    epoch: row.epoch,
    // Older rows do not name the secret. For these the current version of the policy's secret is read.
    current:
      row.secret === '' || row.secretVersion === ''
        ? undefined
        : { slot: row.active, secret: row.secret, version: row.secretVersion },
  };
}
