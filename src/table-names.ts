/**
 * The tables, which the deployment creates: `state` (head, revocations, published slots), `rotation` (the rotation's
 * rows and plans), `audit` (exchanges), `ledger` (mint ledger and issued tokens), `history` (rotation steps), `demands`
 * (wishes for a rotation), `events` (received events and signals, and their effects), `operations` (acts of operators), `policy`
 * (versions of the policy, and which were in force), `usage` (the audit, counted by the hour and the day).
 */
export const TABLE_NAMES = [
  'state',
  'rotation',
  'audit',
  'ledger',
  'history',
  'demands',
  'events',
  'operations',
  'policy',
  'usage',
] as const;
export type TableName = (typeof TABLE_NAMES)[number];
