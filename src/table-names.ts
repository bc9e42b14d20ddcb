/**
 * The tables, which the deployment creates: `state` (head, revocations, published slots), `rotation` (the machine's
 * rows), `audit` (exchanges), `ledger` (mint ledger and issued tokens), `history` (rotation steps), `events` (received
 * events and signals, and their effects).
 */
export const TABLE_NAMES = ['state', 'rotation', 'audit', 'ledger', 'history', 'events'] as const;
export type TableName = (typeof TABLE_NAMES)[number];
