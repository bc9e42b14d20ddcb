/**
 * The versions of the policy, in table `policy`: each text in a partition of its own, under its SHA-256, and the
 * history in partition `history`, the newest first. The pointer to the one in force is in table `state`, because each
 * exchange that finds the head moved reads it with the rest.
 */
import * as z from 'zod';
import type { InForce, PolicyStore } from '../policy/store.ts';
import { compact, versionOf } from '../policy/version.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { chunks, joined, pieces } from './chunks.ts';
import { isNoSuchEntity, unless } from './table-status.ts';
import type { Tables } from './tables.ts';

const POINTER = { partitionKey: 'policy', rowKey: 'policy' } as const;
const HISTORY = 'history';
/** A row holds a mebibyte, and each character takes two bytes of it. */
const ROW_CHARACTERS = 300_000;
/** A large policy is a few megabytes. Callers wait for it, and are answered within ten seconds. */
const MAX_READ_MS = 8_000;
const LAST_SERIAL = 9_999_999_999;

const inForceShape = z.object({
  version: z.string().regex(/^[0-9a-f]{64}$/),
  serial: z.int(),
  how: z.enum(['packaged', 'applied', 'rolled back']),
  by: z.string(),
  reason: z.string(),
  at: z.string(),
  commit: z.string().optional(),
});
const newestFirst = (serial: number): string => String(LAST_SERIAL - serial).padStart(10, '0');

export function createPolicyStore(tables: Tables): PolicyStore {
  const history = (filter: string, most: number) =>
    call('tables', 'read policy history', async (abortSignal) => {
      const table = await tables('policy');
      const found: InForce[] = [];
      const queryOptions = { filter: `PartitionKey eq '${HISTORY}'${filter}` };
      for await (const row of table.listEntities({ queryOptions, abortSignal })) {
        if (found.length >= most) break;
        found.push(inForceShape.parse(row));
      }
      return found;
    });

  return {
    pointer: () =>
      call('tables', 'read policy pointer', async (abortSignal) => {
        const table = await tables('state');
        try {
          const row = await table.getEntity(POINTER.partitionKey, POINTER.rowKey, { abortSignal });
          const read = inForceShape.safeParse(row);
          if (!read.success) throw new UpstreamFailure('tables', 'the pointer of the policy cannot be read');
          return { ...read.data, etag: row.etag };
        } catch (error) {
          if (isNoSuchEntity(error)) return undefined;
          throw error;
        }
      }),
    text: (version) =>
      call(
        'tables',
        'read policy',
        async (abortSignal) => {
          const table = await tables('policy');
          const found: string[] = [];
          // No digit is beyond `f`, so this is every version that begins with these digits.
          const queryOptions = { filter: `PartitionKey ge '${version}' and PartitionKey lt '${version}g'` };
          for await (const row of table.listEntities({ queryOptions, abortSignal }))
            found.push(joined('text', row));
          if (found.length === 0) return undefined;
          const text = restored(found.join(''));
          if (text === undefined || !versionOf(text).startsWith(version))
            throw new UpstreamFailure('tables', 'a kept policy is not the one that was kept');
          return text;
        },
        { deadlineMs: MAX_READ_MS },
      ),
    async keep(version, text) {
      for (const [index, piece] of pieces(escaped(text), ROW_CHARACTERS).entries()) {
        const row = {
          partitionKey: version,
          rowKey: String(index).padStart(4, '0'),
          ...chunks('text', piece),
        };
        await call('tables', 'keep policy', async (abortSignal) => {
          const table = await tables('policy');
          await table.createEntity(row, { abortSignal }).catch(unless(409));
        });
      }
    },
    remember: (was) =>
      call('tables', 'remember policy', async (abortSignal) => {
        const table = await tables('policy');
        const row = { partitionKey: HISTORY, rowKey: newestFirst(was.serial), ...inForceShape.parse(was) };
        await table.createEntity(row, { abortSignal }).catch(unless(409));
      }),
    point: (next, since) =>
      call('tables', 'point to policy', async (abortSignal) => {
        const table = await tables('state');
        const row = { ...POINTER, ...next };
        const written =
          since === undefined
            ? table.createEntity(row, { abortSignal }).catch(unless(409))
            : table.updateEntity(row, 'Replace', { etag: since.etag, abortSignal }).catch(unless(404, 412));
        return (await written) === undefined ? 'moved' : 'pointed';
      }),
    history: (most, before) =>
      history(before === undefined ? '' : ` and RowKey gt '${newestFirst(before)}'`, most),
    wasInForce: async (version) => (await history(` and version eq '${version}'`, 1)).length > 0,
  };
}

/**
 * JSON may escape every character. So the rows hold plain ASCII, and nothing on the way can cut a character in two:
 * Azurite loses those that lie across two packets of a large row.
 */
const escaped = (text: string): string =>
  text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** @returns undefined where it is no JSON, because a part is missing */
function restored(kept: string): string | undefined {
  try {
    return compact(JSON.parse(kept));
  } catch {
    return undefined;
  }
}
