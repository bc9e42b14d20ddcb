/** The mint ledger and the tokens that were issued, in table `ledger`. */
import { z } from 'zod';
import type { IssuedRecord, IssuedTokens, MintLedger } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { isNoSuchEntity } from './state.ts';
import type { Tables } from './tables.ts';

/**
 * One row per resource, slot and instance: the latest expiry it declared. Only that instance writes its row,
 * and one purchase at a time, so what it remembers is what stands there.
 */
export function createLedger(tables: Tables): MintLedger {
  const declared = new Map<string, number>();
  return {
    declare: async (resource, slot, instance, expiresAtMs) => {
      const key = `${resource}:${slot}`;
      const latest = Math.max(expiresAtMs, declared.get(key) ?? 0);
      declared.set(key, latest);
      await call('tables', 'declare mint', async (abortSignal) => {
        const table = await tables('ledger');
        const row = { partitionKey: `mint:${key}`, rowKey: instance, expiresAtMs: int64(latest) };
        await table.upsertEntity(row, 'Replace', { abortSignal });
      });
    },
    latestExpiryMs: (resource, slot) =>
      call('tables', 'read mint ledger', async (abortSignal) => {
        const table = await tables('ledger');
        const query = { filter: `PartitionKey eq 'mint:${resource}:${slot}'`, select: ['expiresAtMs'] };
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

const issuedRow = z.object({
  resource: z.string(),
  tokenKind: z.enum(['sts', 'entra', 'obo']),
  slot: z.enum(['Key1', 'Key2']).optional(),
  tenantId: z.string().optional(),
  objectId: z.string().optional(),
  issuedAtMs: z.coerce.number(),
  expiresAtMs: z.coerce.number(),
});

/** One row per token bought, by the SHA-256 of its text; the text itself is nowhere. */
export function createIssuedTokens(tables: Tables): IssuedTokens {
  return {
    record: ({ sha256, user, slot, issuedAtMs, expiresAtMs, ...rest }) =>
      call('tables', 'record token', async (abortSignal) => {
        const table = await tables('ledger');
        await table.upsertEntity(
          {
            partitionKey: 'issued',
            rowKey: sha256,
            ...rest,
            ...(slot === undefined ? {} : { slot }),
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
          const { tenantId, objectId, slot, ...rest } = row;
          const user = tenantId !== undefined && objectId !== undefined ? { tenantId, objectId } : undefined;
          return { sha256, slot, user, ...rest };
        } catch (error) {
          if (isNoSuchEntity(error)) return undefined;
          throw error;
        }
      }),
  };
}

/** Milliseconds since the epoch do not fit the table's 32-bit integer, and would arrive as a double. */
function int64(value: number): { type: 'Int64'; value: string } {
  return { type: 'Int64', value: String(Math.round(value)) };
}
