/** A gate for tests: who is admitted is the test's, and what is recorded is kept. */
import type { Gate } from '../../src/http/operator/gate.ts';
import type { AuditRecord } from '../../src/ports.ts';

export function gateOf(
  admit: Gate['admit'],
  clock: Gate['clock'] = () => Date.parse('2026-11-22T09:00:00Z'),
): Gate & { readonly records: AuditRecord[]; readonly strangers: string[] } {
  const records: AuditRecord[] = [];
  const strangers: string[] = [];
  return {
    admit,
    clock,
    audit: { append: async (record) => void records.push(record) },
    refusedStranger: (reason) => void strangers.push(reason),
    instance: 'i',
    records,
    strangers,
  };
}
