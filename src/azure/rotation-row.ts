/** One account's row of the rotation, as tables `rotation` and `state` hold it (partition `rotation` of both). */
import type { TableEntity } from '@azure/data-tables';
import * as z from 'zod';
import { problemOfText, problemSchema } from '../rotation/problem.ts';
import {
  healingSchema,
  type PublishedRow,
  type RotationRow,
  type StoredRow,
  slotSchema,
  workSchema,
} from '../rotation/state.ts';
import { int64 } from './tables.ts';

export const ROTATION_PARTITION = 'rotation';
/** In column `last` of a published row. It is no JSON, so drivers of the version with one app cannot read the row. */
export const MOVED = 'moved to the rotator app';

export const entrySchema = z.object({
  fence: z.int(),
  atMs: z.number(),
  by: z.string(),
  from: z.string(),
  to: z.string(),
  why: z.string(),
  tookMs: z.number(),
  slot: slotSchema.optional(),
  emergency: z.boolean(),
  newKeyLagMs: z.number().optional(),
  oldKeyLagMs: z.number().optional(),
});
export const json = <Shape extends z.ZodType>(shape: Shape) =>
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
  /** Rows of the version with one app do not have this column and the next one. */
  marksTaken: json(z.partialRecord(slotSchema, z.int()))
    .optional()
    .transform((taken) => taken ?? {}),
  demands: json(z.array(z.string()))
    .optional()
    .transform((demands) => demands ?? []),
  holder: z.string(),
  fence: z.int(),
  takenAtMs: z.coerce.number(),
  last: json(entrySchema),
});

/** The rotator remembers it in its own row, so a text that is too long for a demand's id is left out. */
const demandId = z.string().max(36).catch('').default('');
/** The epoch is a sum with both counts, in a column of 32 bits. */
const count = z.int().min(0).max(1_000_000_000).default(0);
/** What an issuer writes in a published row beside `epoch` and `retiring` (emergency-mark.ts). */
export const marksSchema = z.object({
  marksKey1: count,
  marksKey2: count,
  demandKey1: demandId,
  demandKey2: demandId,
});
/** An empty one is a row of the version with one app. */
const lastSchema = z.object({ last: z.string() });

export function toEntity({ account, state, lease, last }: RotationRow): TableEntity {
  return {
    partitionKey: ROTATION_PARTITION,
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
    marksTaken: JSON.stringify(state.marksTaken),
    demands: JSON.stringify(state.demands),
    takenAtMs: int64(lease.takenAtMs),
    last: last === undefined ? '' : JSON.stringify(last),
  };
}

export function toPublishedEntity({ marks, moved, ...row }: PublishedRow): TableEntity {
  const { Key1, Key2 } = marks;
  const columns = {
    marksKey1: Key1.count,
    marksKey2: Key2.count,
    demandKey1: Key1.demand,
    demandKey2: Key2.demand,
  };
  return { ...toEntity(row), ...columns, ...(moved ? { last: MOVED } : {}) };
}

export function fromEntity(entity: unknown): StoredRow | 'unreadable' {
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

export function fromPublishedEntity(entity: object): PublishedRow | 'unreadable' {
  const isMoved = lastSchema.safeParse(entity).data?.last === MOVED;
  const row = fromEntity(isMoved ? { ...entity, last: '' } : entity);
  const marks = marksSchema.safeParse(entity).data;
  if (row === 'unreadable' || marks === undefined) return 'unreadable';
  return {
    ...row,
    moved: isMoved,
    marks: {
      Key1: { count: marks.marksKey1, demand: marks.demandKey1 },
      Key2: { count: marks.marksKey2, demand: marks.demandKey2 },
    },
  };
}

/** A query returns the rows of a partition in the order of their keys, so a falling number puts the newest first. */
export function newestFirst(fence: number): string {
  return String(9_999_999_999 - fence).padStart(10, '0');
}
