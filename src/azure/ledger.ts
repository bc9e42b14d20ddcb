/** The mint ledger and the tokens that were issued, in table `ledger`. */
import * as z from 'zod';
import { coalesce } from '../coalesce.ts';
import type { IssuedRecord, IssuedTokens, MintLedger, Slot } from '../ports.ts';
import { TOKEN_KINDS } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { isNoSuchEntity } from './table-status.ts';
import type { Tables } from './tables.ts';

/**
 * One row per account, slot and instance: the latest expiry it declared. Only that instance writes its row,
 * one write at a time, so that no late write of an earlier expiry can land on a later one.
 */
export function createLedger(tables: Tables): MintLedger {
  const rows = new Map<string, (expiresAtMs: number) => Promise<void>>();
  const rowOf = (account: string, slot: Slot, instance: string): ((expiresAtMs: number) => Promise<void>) => {
    const partitionKey = partition(account, slot);
    let latest = 0;
    return coalesce<number, void>(async (expiries) => {
      latest = Math.max(latest, ...expiries);
      const row = { partitionKey, rowKey: instance, expiresAtMs: int64(latest) };
      await call('tables', 'declare mint', async (abortSignal) => {
        const table = await tables('ledger');
        await table.upsertEntity(row, 'Replace', { abortSignal });
      });
    });
  };
  return {
    declare: (account, slot, instance, expiresAtMs) => {
      const key = `${account} ${slot} ${instance}`;
      const declare = rows.get(key) ?? rowOf(account, slot, instance);
      rows.set(key, declare);
      return declare(expiresAtMs);
    },
    latestExpiryMs: (account, slot) =>
      call('tables', 'read mint ledger', async (abortSignal) => {
        const table = await tables('ledger');
        const query = {
          filter: `PartitionKey eq '${partition(account, slot).replaceAll("'", "''")}'`,
          select: ['expiresAtMs'],
        };
        let latest = 0;
        for await (const entity of table.listEntities({ queryOptions: query, abortSignal })) {
          const row = z.object({ expiresAtMs: z.coerce.number() }).safeParse(entity);
          if (!row.success) throw new UpstreamFailure('tables', 'a ledger row cannot be read');
          latest = Math.max(latest, row.data.expiresAtMs);
        }
        return latest;
      }),
  };
}

const partition = (account: string, slot: Slot): string => `mint:${account}:${slot}`;

const issuedRow = z.object({
  resource: z.string(),
  tokenKind: z.enum(TOKEN_KINDS),
  epoch: z.int().optional(),
  tenantId: z.string().optional(),
  objectId: z.string().optional(),
  issuedAtMs: z.coerce.number(),
  expiresAtMs: z.coerce.number(),
});

/** One row per token bought, by the SHA-256 of its text; the text itself is nowhere. */
export function createIssuedTokens(tables: Tables): IssuedTokens {
  return {
    record: ({ sha256, user, epoch, issuedAtMs, expiresAtMs, ...rest }) =>
      call('tables', 'record token', async (abortSignal) => {
        const table = await tables('ledger');
        await table.upsertEntity(
          {
            partitionKey: 'issued',
            rowKey: sha256,
            ...rest,
            ...(epoch === undefined ? {} : { epoch }),
            ...(user ?? {}),
            issuedAtMs: int64(issuedAtMs),
            expiresAtMs: int64(expiresAtMs),
          },
          'Replace',
          { abortSignal },
        );
      }),
    find: (sha256) =>
      call('tables', 'find token', async (abortSignal): Promise<IssuedRecord | undefined> => {
        const table = await tables('ledger');
        try {
          const row = issuedRow.parse(await table.getEntity('issued', sha256, { abortSignal }));
          const { tenantId, objectId, epoch, ...rest } = row;
          const user = tenantId !== undefined && objectId !== undefined ? { tenantId, objectId } : undefined;
          return { sha256, epoch, user, ...rest };
        } catch (error) {
          if (isNoSuchEntity(error)) return undefined;
          throw error;
        }
      }),
  };
}

/** An instance's last declaration is kept this much longer than the tokens it speaks of. */
const KEEP_DECLARED_MS = 86_400_000;

/** Removes what speaks only of tokens that are over; what one run leaves, the next takes. */
export function sweepLedger(tables: Tables): (nowMs: number) => Promise<void> {
  return (nowMs) =>
    call(
      'tables',
      'sweep ledger',
      async (abortSignal) => {
        const table = await tables('ledger');
        for (const over of [
          `PartitionKey eq 'issued' and expiresAtMs lt ${Math.round(nowMs)}L`,
          `PartitionKey ge 'mint:' and PartitionKey lt 'mint;' and expiresAtMs lt ${Math.round(nowMs - KEEP_DECLARED_MS)}L`,
        ]) {
          const queryOptions = { filter: over, select: ['PartitionKey', 'RowKey'] };
          // On its ETag: an instance may declare again while this looks.
          for await (const { partitionKey, rowKey, etag } of table.listEntities({
            queryOptions,
            abortSignal,
          }))
            if (partitionKey !== undefined && rowKey !== undefined)
              await table.deleteEntity(partitionKey, rowKey, { etag, abortSignal }).catch(ifChanged);
        }
      },
      { deadlineMs: 30_000, attempts: 1 },
    );
}

function ifChanged(error: unknown): void {
  if (!isNoSuchEntity(error) && (error as { statusCode?: number }).statusCode !== 412) throw error;
}

/** Milliseconds since the epoch do not fit the table's 32-bit integer, and would arrive as a double. */
function int64(value: number): { type: 'Int64'; value: string } {
  return { type: 'Int64', value: String(Math.round(value)) };
}
