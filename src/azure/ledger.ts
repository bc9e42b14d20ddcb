/** The mint ledger and the records of issued tokens, both in table `ledger`. */
import * as z from 'zod';
import type { IssuedRecord, IssuedTokens, MintLedger, Slot } from '../ports.ts';
import { TOKEN_KINDS } from '../token-kind.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { isNoSuchEntity } from './table-status.ts';
import { int64, type Tables } from './tables.ts';

/**
 * Each declaration is a row of its own, so no write can lower an earlier declaration, not even a write that timed out
 * and takes effect late. The row with the latest expiry comes first, so reading it takes one row, however many exist.
 */
export function createLedger(tables: Tables): MintLedger {
  return {
    declare: (account, slot, instance, expiresAtMs) =>
      call('tables', 'declare mint', async (abortSignal) => {
        const table = await tables('ledger');
        const rowKey = `${latestFirst(expiresAtMs)}:${instance}`;
        const row = { partitionKey: partition(account, slot), rowKey, expiresAtMs: int64(expiresAtMs) };
        await table.upsertEntity(row, 'Replace', { abortSignal });
      }),
    latestExpiryMs: (account, slot) =>
      call('tables', 'read mint ledger', async (abortSignal) => {
        const table = await tables('ledger');
        const queryOptions = {
          filter: `PartitionKey eq '${partition(account, slot).replaceAll("'", "''")}'`,
          select: ['RowKey'],
        };
        // The Table service may return an empty page although more pages follow.
        const pages = table.listEntities({ queryOptions, abortSignal }).byPage({ maxPageSize: 1 });
        for await (const [entity] of pages) {
          if (entity === undefined) continue;
          const expiresAtMs = expiryOf(String(entity.rowKey));
          if (expiresAtMs === undefined) throw new UpstreamFailure('tables', 'a ledger row cannot be read');
          return expiresAtMs;
        }
        return 0;
      }),
  };
}

/** A query returns a partition's rows in the order of their keys. Thirteen digits of milliseconds last until 2286. */
const LAST_MS = 9_999_999_999_999;
function latestFirst(expiresAtMs: number): string {
  return String(LAST_MS - Math.round(expiresAtMs)).padStart(13, '0');
}

/**
 * The expiry is read from the key, by which the rows are sorted, and never from a column. The issuer app may add and
 * change rows, and remove none: so whatever code inside it writes can make a drain longer, and never end one early.
 */
function expiryOf(rowKey: string): number | undefined {
  const digits = /^([0-9]{13}):/.exec(rowKey)?.[1];
  return digits === undefined ? undefined : LAST_MS - Number(digits);
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

/** One row per token that was bought. Its key is the SHA-256 of the token's text; the text is not stored. */
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

/** A declaration is kept for this long after the expiry that it declares. */
const KEEP_DECLARED_MS = 86_400_000;

/** Returns a function that removes the rows of expired tokens. What one run does not reach, the next one removes. */
export function sweepLedger(tables: Tables): (nowMs: number) => Promise<void> {
  return (nowMs) =>
    call(
      'tables',
      'sweep ledger',
      async (abortSignal) => {
        const table = await tables('ledger');
        for (const over of [
          `PartitionKey eq 'issued' and expiresAtMs lt ${Math.round(nowMs)}L`,
          `PartitionKey ge 'mint:' and PartitionKey lt 'mint;' and RowKey gt '${latestFirst(nowMs - KEEP_DECLARED_MS)};'`,
        ]) {
          const queryOptions = { filter: over, select: ['PartitionKey', 'RowKey'] };
          // The delete is conditional, because an instance may write the same row anew during the sweep.
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
