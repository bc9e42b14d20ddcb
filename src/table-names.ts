/**
 * The tables, made by the deployment: `state` (head, revocations, rotations), `audit` (who got what),
 * `ledger` (mint ledger and issued tokens), `history` (rotation steps), `events` (what was received).
 */
export const TABLE_NAMES = ['state', 'audit', 'ledger', 'history', 'events'] as const;
export type TableName = (typeof TABLE_NAMES)[number];
