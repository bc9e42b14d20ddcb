/** What roll-ups must say, counted straight from the rows, with nothing of what makes them. */

import { Cells } from '../../src/record/cell-shape.ts';
import type { AuditRow } from '../../src/record/ports.ts';
import type { Storage } from './storage.ts';

export type Table = Map<string, { count: number; last: number }>;

function addTo(table: Table, key: string, count: number, last: number): void {
  const before = table.get(key) ?? { count: 0, last: 0 };
  table.set(key, { count: before.count + count, last: Math.max(before.last, last) });
}

export function fullCount(rows: readonly AuditRow[]): Table {
  const table: Table = new Map();
  for (const row of rows)
    for (const line of row.records.split('\n')) {
      const record = JSON.parse(line);
      if (record.act) continue;
      const why = record.reason?.replace(/:.*$/, '') ?? '';
      const isKnown = record.grant || why === 'grant_missing';
      for (const period of [`hour ${row.key.slice(0, 13)}`, `day ${row.key.slice(0, 10)}`]) {
        const cell = [
          period,
          isKnown ? record.resource : '',
          record.tenantId ?? '',
          record.clientId ?? '',
          record.objectId ?? '',
          record.grant ?? '',
          record.tokenKind ?? record.asked ?? '',
          record.outcome,
          why,
        ];
        addTo(table, cell.join('|'), record.count ?? 1, Date.parse(record.at));
      }
    }
  return table;
}

export function rolledUp(storage: Storage): Table {
  const table: Table = new Map();
  for (const { value } of storage.rollUps.values())
    for (const cell of Cells.read(value.cells).values()) {
      const { tenantId, clientId, objectId, grant, kind, outcome, reason, count, lastAtMs } = cell;
      const names = [
        `${value.per} ${value.at}`,
        value.resource,
        tenantId,
        clientId,
        objectId,
        grant,
        kind,
        outcome,
        reason,
      ];
      addTo(table, names.join('|'), count, lastAtMs);
    }
  return table;
}

/** Cells in which the two differ. */
export function differences(one: Table, other: Table): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter(
    (key) => JSON.stringify(one.get(key)) !== JSON.stringify(other.get(key)),
  );
}
