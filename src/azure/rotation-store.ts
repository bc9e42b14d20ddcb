/**
 * The rotation's state in table `state` (partition `rotation`, one row per account), and its history in table
 * `history` (one partition per account). Exchanges read `generation`, `retiring`, `epoch`, `active`, `secret` and
 * `secretVersion` of a state row (state.ts).
 */
import type { TableEntity } from '@azure/data-tables';
import * as z from 'zod';
import type { RotationStore } from '../rotation/ports.ts';
import { problemOfText, problemSchema } from '../rotation/problem.ts';
import {
  type HistoryEntry,
  healingSchema,
  type RotationRow,
  type StoredRow,
  slotSchema,
  workSchema,
} from '../rotation/state.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import { int64, type Tables } from './tables.ts';

const PARTITION = 'rotation';

const entrySchema = z.object({
  fence: z.int(),
  atMs: z.number(),
  by: z.string(),
  from: z.string(),
  to: z.string(),
  why: z.string(),
  tookMs: z.number(),
  emergency: z.boolean(),
  newKeyLagMs: z.number().optional(),
  oldKeyLagMs: z.number().optional(),
});
const json = <Shape extends z.ZodType>(shape: Shape) =>
  z
    .string()
    .transform((text, context): unknown => {
      if (text === '') return undefined;
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue('not JSON');
        return z.NEVER;
      }
    })
    .pipe(shape.optional());

const rowSchema = z.object({
  rowKey: z.string(),
  etag: z.string(),
  generation: z.int(),
  retiring: z.enum(['Key1', 'Key2', '']),
  epoch: z.int(),
  active: slotSchema,
  /** Older rows do not have this column. */
  secret: z.string().default(''),
  secretVersion: z.string(),
  adoptedAtMs: z.coerce.number().default(0),
  /** 0 stands for `undefined`: no rotation has ended yet. */
  rotatedAtMs: z.coerce.number().transform((ms) => (ms === 0 ? undefined : ms)),
  bornAtMs: json(z.partialRecord(slotSchema, z.number()))
    .optional()
    .transform((born) => born ?? {}),
  suspectUntilMs: z.coerce.number(),
  /** Older rows hold a sentence in place of JSON. */
  blocked: z.string().transform((text) => {
    if (text === '') return undefined;
    const problem = json(problemSchema).safeParse(text);
    return problem.success ? problem.data : problemOfText(text);
  }),
  work: json(workSchema),
  healing: json(healingSchema).optional(),
  holder: z.string(),
  fence: z.int(),
  takenAtMs: z.coerce.number(),
  last: json(entrySchema),
});

export function createRotationStore(tables: Tables): RotationStore {
  return {
    all: () =>
      call(
        'tables',
        'read rotation',
        async (abortSignal) => {
          const table = await tables('state');
          const found = new Map<string, StoredRow | 'unreadable'>();
          const queryOptions = { filter: `PartitionKey eq '${PARTITION}'` };
          for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
            found.set(String(entity.rowKey), fromEntity(entity));
          }
          return found;
        },
        { deadlineMs: 10_000 },
      ),
    read: (account) =>
      call('tables', 'read rotation', async (abortSignal) => {
        const table = await tables('state');
        try {
          return fromEntity(await table.getEntity(PARTITION, account, { abortSignal }));
        } catch (error) {
          if (isNoSuchEntity(error)) return undefined;
          throw error;
        }
      }),
    // One attempt only: after a lost answer a second one would take the first one's ETag for another driver's.
    write: (row) =>
      call(
        'tables',
        'write rotation',
        async (abortSignal) => {
          const table = await tables('state');
          const entity = toEntity(row);
          const done =
            row.etag === undefined
              ? await table.createEntity(entity, { abortSignal }).catch(unless(409))
              : await table
                  .updateEntity(entity, 'Replace', { etag: row.etag, abortSignal })
                  .catch(unless(404, 412));
          if (done === undefined) return 'moved';
          if (done.etag === undefined)
            throw new UpstreamFailure('tables', 'write rotation: no ETag in the answer');
          return { etag: done.etag };
        },
        { attempts: 1 },
      ),
    remove: (account) =>
      call('tables', 'remove rotation', async (abortSignal) => {
        const table = await tables('state');
        await table.deleteEntity(PARTITION, account, { abortSignal }).catch(unless(404));
      }),
    record: ({ account, ...entry }) =>
      call('tables', 'record rotation', async (abortSignal) => {
        const table = await tables('history');
        await table.upsertEntity(
          { partitionKey: account, rowKey: newestFirst(entry.fence), entry: JSON.stringify(entry) },
          'Replace',
          { abortSignal },
        );
      }),
    history: (account, most) =>
      call('tables', 'read history', async (abortSignal) => {
        const table = await tables('history');
        const found: HistoryEntry[] = [];
        const queryOptions = { filter: `PartitionKey eq '${account.replaceAll("'", "''")}'` };
        for await (const entity of table.listEntities({ queryOptions, abortSignal })) {
          if (found.length >= most) break;
          const parsed = json(entrySchema).safeParse(entity['entry']);
          if (parsed.data !== undefined) found.push({ account, ...parsed.data });
        }
        return found;
      }),
  };
}

/** A query returns the rows of a partition in the order of their keys, so a falling number puts the newest first. */
function newestFirst(fence: number): string {
  return String(9_999_999_999 - fence).padStart(10, '0');
}

function toEntity({ account, state, lease, last }: RotationRow): TableEntity {
  return {
    partitionKey: PARTITION,
    rowKey: account,
    ...state,
    ...lease,
    retiring: state.retiring ?? '',
    blocked: state.blocked === undefined ? '' : JSON.stringify(state.blocked),
    work: state.work === undefined ? '' : JSON.stringify(state.work),
    healing: state.healing === undefined ? '' : JSON.stringify(state.healing),
    adoptedAtMs: int64(state.adoptedAtMs),
    rotatedAtMs: int64(state.rotatedAtMs ?? 0),
    bornAtMs: JSON.stringify(state.bornAtMs),
    suspectUntilMs: int64(state.suspectUntilMs),
    takenAtMs: int64(lease.takenAtMs),
    last: last === undefined ? '' : JSON.stringify(last),
  };
}

function fromEntity(entity: unknown): StoredRow | 'unreadable' {
  const parsed = rowSchema.safeParse(entity);
  if (!parsed.success) return 'unreadable';
  const { rowKey: account, etag, holder, fence, takenAtMs, last, retiring, ...rest } = parsed.data;
  return {
    account,
    etag,
    lease: { holder, fence, takenAtMs },
    last: last && { account, ...last },
    state: {
      ...rest,
      work: rest.work,
      retiring: retiring === '' ? undefined : retiring,
    },
  };
}
