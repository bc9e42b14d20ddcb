/** The revocations, in table `state`. Exchanges read their `scope`, `cutOffSeconds` and `blocked` (`state.ts`). */
import * as z from 'zod';
import type { Scope } from '../ports.ts';
import type { Entry } from '../revocation/entry.ts';
import type { RevocationTable } from '../revocation/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

const PARTITION = 'revocation';
/** When others keep changing the row, so many reads and conditional writes are tried; then it counts as an outage. */
const MAX_ROUNDS = 20;
const MAX_PAUSE_MS = 50;

const instants = z.record(z.string(), z.number());
const json = z.string().transform((text): unknown => JSON.parse(text));
const rowShape = z.object({
  scope: json.transform((scope) => scope as Scope),
  cutOffSeconds: z.coerce.number(),
  blocked: z.boolean(),
  blocks: json.pipe(instants),
  liftedAtMs: z.coerce.number(),
  reason: z.string(),
  source: z.string(),
  receivedAtMs: z.coerce.number(),
});

interface Stored {
  readonly etag: string;
  readonly entry: Entry;
}

export function createRevocationTable(tables: Tables): RevocationTable {
  const read = (key: string): Promise<Stored | undefined> =>
    call('tables', 'read revocation', async (abortSignal) => {
      const table = await tables('state');
      try {
        const row = await table.getEntity(PARTITION, key, { abortSignal });
        return { etag: row.etag, entry: rowShape.parse(row) };
      } catch (error) {
        if (isNoSuchEntity(error)) return undefined;
        throw error;
      }
    });

  /** False when the row was changed by somebody else, or by an attempt whose answer was lost; then read it again. */
  async function write(key: string, entry: Entry, etag: string | undefined): Promise<boolean> {
    const row = toRow(key, entry);
    const written = await call('tables', 'write revocation', async (abortSignal) => {
      const table = await tables('state');
      return etag === undefined
        ? table.createEntity(row, { abortSignal }).catch(unless(409))
        : table.updateEntity(row, 'Replace', { etag, abortSignal }).catch(unless(412));
    });
    return written !== undefined;
  }

  return {
    async update(key, change) {
      // Most scopes have no row yet. So the first round tries to insert without reading, and the row is read only if
      // it exists or there is nothing to insert.
      let current: Stored | undefined;
      let isKnown = false;
      for (let round = 1; round <= MAX_ROUNDS; round += 1) {
        const next = change(current?.entry);
        if (next !== undefined && next !== current?.entry) {
          if (await write(key, next, current?.etag)) return next;
          if (round > 1) await new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_PAUSE_MS));
        } else if (isKnown) return current?.entry;
        current = await read(key);
        isKnown = true;
      }
      throw new UpstreamFailure('tables', 'too many writers of one revocation');
    },

    list: () =>
      call(
        'tables',
        'list revocations',
        async (abortSignal) => {
          const table = await tables('state');
          const entries: Entry[] = [];
          const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
          for await (const row of table.listEntities({ queryOptions, abortSignal }))
            entries.push(rowShape.parse(row));
          return entries;
        },
        // Longer than an exchange waits for the list, so that a list that became too long can still be tidied.
        { deadlineMs: 30_000 },
      ),

    async remove(key, isGone) {
      const current = await read(key);
      if (current === undefined || !isGone(current.entry)) return;
      await call('tables', 'remove revocation', async (abortSignal) => {
        const table = await tables('state');
        const { etag } = current;
        await table.deleteEntity(PARTITION, key, { etag, abortSignal }).catch(unless(404, 412));
      });
    },
  };
}

function toRow(key: string, entry: Entry) {
  return {
    partitionKey: PARTITION,
    rowKey: key,
    scope: JSON.stringify(entry.scope),
    // A double holds whole seconds after the year 2038; the table's 32-bit integer does not.
    cutOffSeconds: { type: 'Double', value: entry.cutOffSeconds },
    blocked: entry.blocked,
    blocks: JSON.stringify(entry.blocks),
    liftedAtMs: { type: 'Double', value: entry.liftedAtMs },
    reason: entry.reason,
    source: entry.source,
    receivedAtMs: { type: 'Double', value: entry.receivedAtMs },
  };
}
