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
