/** The shapes of the record in the OpenAPI document: usage and the entries of the chain. */
import * as z from 'zod';
import { entryShape, hashShape, minuteShape } from '../record/entry.ts';
import { instant } from './openapi-audit-shapes.ts';
import { listOf } from './openapi-operator-shapes.ts';

const text = z.string().optional();
const minute = minuteShape.describe('In UTC: `2026-11-26T01:20`.');

export const recordShapes = {
  usage: listOf(
    z.strictObject({
      at: instant.describe('When the period begins.'),
      resource: text.describe('Absent: of no resource that the policy knows.'),
      caller: text.describe('The object id. Absent: nobody was verified, or no room for more callers.'),
      clientId: text,
      tenantId: text,
      grant: text,
      kind: text,
      outcome: text,
      reason: text.describe(
        'The kind of a refusal. `others`: what a day or an hour of a resource has no more room for.',
      ),
      count: z.int().describe('An item that a further page has too is to be added to it.'),
      lastAt: instant,
    }),
  ),
  proof: z.strictObject({
    ...listOf(z.strictObject({ ...entryShape.shape, hash: hashShape })).shape,
    closedThrough: minute.optional().describe('The last minute that is closed. Absent: none is.'),
    sequence: z.int().optional().describe('The entry of that minute.'),
    hash: hashShape
      .optional()
      .describe('Its hash. Who keeps it can later see whether the chain is still the same.'),
    removedBefore: minute
      .optional()
      .describe('Rows of earlier minutes may be gone, because their time was over.'),
  }),
};

const inRow = { minute, row: z.string().describe("The row's key.") };

/** What a verification of a span says, as the command prints it. */
export const verdict = z.strictObject({
  from: minute,
  to: minute,
  source: z.enum(['broker', 'storage']),
  minutes: z.int().describe('Closed minutes of the span.'),
  rows: z.int().describe('Rows in them that are as they were closed.'),
  unproved: z.int().describe('Rows that no entry speaks of: not closed yet, or before the chain began.'),
  closedThrough: minute.optional(),
  removedBefore: minute
    .optional()
    .describe('Rows of earlier minutes may be gone, because their time was over.'),
  hash: hashShape.optional().describe('Of the last counted entry. Kept, it is what --known takes later.'),
  findings: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('row_changed'), ...inRow }),
        z.strictObject({ kind: z.literal('row_removed'), ...inRow }),
        z.strictObject({ kind: z.literal('row_inserted'), ...inRow }),
        z.strictObject({ kind: z.literal('rows_swapped'), ...inRow, with: z.string() }),
        z.strictObject({ kind: z.literal('list_changed'), minute }),
        z.strictObject({ kind: z.literal('minute_changed'), minute }),
        z.strictObject({ kind: z.literal('entry_changed'), minute }),
        z.strictObject({ kind: z.literal('blob_rewritten'), day: z.string(), minute }),
        z.strictObject({ kind: z.literal('entries_missing'), from: minute, to: minute }),
        z.strictObject({
          kind: z.literal('truncated'),
          at: z.enum(['beginning', 'end']),
          from: minute,
          to: minute,
        }),
        z.strictObject({ kind: z.literal('entries_moved'), minutes: z.array(minute) }),
        z.strictObject({ kind: z.literal('line_inserted'), day: z.string(), line: z.int() }),
        z.strictObject({ kind: z.literal('cursor_behind'), from: minute, to: minute }),
        z.strictObject({ kind: z.literal('cursor_missing') }),
        z.strictObject({ kind: z.literal('known_missing'), hash: z.string() }),
      ]),
    )
    .describe('What is not as it was. Empty: nothing was changed.'),
  late: z
    .array(
      z.strictObject({
        ...inRow,
        delaySeconds: z.int().optional().describe('Absent: no closing has found it yet.'),
      }),
    )
    .describe('Rows that came after their minute was closed.'),
});
