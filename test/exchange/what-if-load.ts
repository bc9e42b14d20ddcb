/**
 * What a what-if costs: `node test/exchange/what-if-load.ts --requests 10000` replays so many recorded requests, read
 * from rows of the audit as its table has them, and prints the seconds and the memory.
 */
import { createAuditSpan } from '../../src/azure/audit-table.ts';
import type { Tables } from '../../src/azure/tables.ts';
import { readCommandLine } from '../../src/command-line.ts';
import { recordedClaims } from '../../src/exchange/claims.ts';
import { createWhatIf, type WhatIf } from '../../src/exchange/what-if.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { samplePolicy } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import { ada, captions } from './people.ts';

export async function whatIfLoad(
  requests: number,
): Promise<{ readonly seconds: number; readonly megabytes: number; readonly result: WhatIf }> {
  const source = samplePolicy();
  const inForce = compilePolicy(loadPolicy(JSON.stringify(source)));
  // The draft takes the application's grant away, and gives people speech.
  const grants = source.grants.slice(1).map((grant) => ({ ...grant, resources: ['chat', 'speech'] }));
  const draft = compilePolicy(loadPolicy(JSON.stringify({ ...source, grants })));
  const at = new Date(NOW_MS).toISOString();
  const group = (n: number): string =>
    `${(n % 65_536).toString(16).padStart(4, '0')}0000-0000-4000-8000-00000000000a`;
  const record = (n: number): object => {
    const isPerson = n % 3 === 0;
    const caller = isPerson
      ? { ...ada, groups: [...ada.groups, ...Array.from({ length: 40 }, (_, m) => group(n + m))] }
      : captions;
    return {
      at,
      instance: 'i',
      correlationId: n.toString(16).padStart(32, '0'),
      outcome: isPerson ? 'refused' : 'granted',
      tenantId: caller.tenantId,
      clientId: caller.clientId,
      objectId: `${n % 997}`.padStart(8, '0') + caller.objectId.slice(8),
      uti: caller.uti,
      claims: recordedClaims(inForce, caller),
      resource: 'speech',
      ...(isPerson ? { reason: 'grant_missing' } : { grant: 'captions', tokenKind: 'sts' }),
    };
  };
  const tables = (async () => ({
    async *listEntities() {
      for (let n = 0; n < requests; n += 10)
        yield {
          rowKey: `${at}-i-${n}`,
          records0: Array.from({ length: Math.min(10, requests - n) }, (_, m) =>
            JSON.stringify(record(n + m)),
          ).join('\n'),
        };
    },
  })) as unknown as Tables;
  const beforeBytes = process.memoryUsage().rss;
  const startedAt = performance.now();
  let maxBytes = beforeBytes;
  let seen = 0;
  const whatIf = createWhatIf(draft);
  await createAuditSpan(tables)(NOW_MS - 1_000, NOW_MS + 1_000, (each) => {
    whatIf.add(each);
    seen += 1;
    if (seen % 500 === 0) maxBytes = Math.max(maxBytes, process.memoryUsage().rss);
    return true;
  });
  const result = whatIf.result();
  return {
    seconds: (performance.now() - startedAt) / 1000,
    megabytes: (maxBytes - beforeBytes) / 2 ** 20,
    result,
  };
}

if (import.meta.main) {
  const { values } = readCommandLine('node test/exchange/what-if-load.ts [--requests N]', {
    options: { requests: { type: 'string', default: '10000' } },
  });
  const { seconds, megabytes, result } = await whatIfLoad(Number(values.requests));
  const { requests, same, unknown, changed } = result;
  console.log(
    JSON.stringify({
      requests,
      same,
      unknown,
      changed: changed.length,
      seconds: Number(seconds.toFixed(2)),
      megabytes: Math.round(megabytes),
    }),
  );
}
