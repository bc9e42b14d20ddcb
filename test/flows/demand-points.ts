/** Where in a demand a process is killed (demand-kill.ts). */
export const WISHES = [
  'rotate',
  'rotate one slot',
  'emergency',
  'emergency of one slot',
  'leaked key',
] as const;
export type Wish = (typeof WISHES)[number];

/**
 * `held`: while this call of the victim's has done its work and has no answer yet; with a share, at one such call of
 * several. `calls`: after so many calls of the victim's since the demand. `ms`: so long after the demand was sent.
 */
export type Point = { readonly name: string; readonly victim: 'issuer' | 'rotator' } & (
  | {
      readonly kind: 'held';
      readonly service: 'tables' | 'queues' | 'keyvault' | 'arm';
      readonly operation: string;
      readonly share?: number;
    }
  | { readonly kind: 'calls'; readonly max: number }
  | { readonly kind: 'ms'; readonly max: number }
);
type Held = Extract<Point, { kind: 'held' }>;

const held = (
  victim: Point['victim'],
  service: Held['service'],
  operation: string,
  share?: number,
): Point => ({
  name: `${victim}: ${operation}`,
  victim,
  kind: 'held',
  service,
  operation,
  ...(share === undefined ? {} : { share }),
});

const PLACED: readonly Point[] = [
  held('issuer', 'tables', 'InsertEntity demands'),
  held('issuer', 'queues', 'PutMessage demands'),
  held('rotator', 'queues', 'DeleteMessage demands'),
  // The demand is taken, and its outcome written.
  held('rotator', 'tables', 'UpdateEntity demands', 0.5),
];
/** The mark, and the bump of the head that makes it known. */
const MARKED: readonly Point[] = [
  held('issuer', 'tables', 'MergeEntity state'),
  held('issuer', 'tables', 'InsertOrReplaceEntity state'),
];
const LEAKED: readonly Point[] = [
  held('issuer', 'queues', 'PutMessage events'),
  held('rotator', 'queues', 'DeleteMessage events'),
];
/** Of the machine. Only what the issuer does not do too, else exchanges would be held. */
const ROTATED: readonly Point[] = [
  held('rotator', 'tables', 'UpdateEntity rotation', 0.3),
  held('rotator', 'tables', 'UpdateEntity state', 0.3),
  held('rotator', 'tables', 'InsertOrReplaceEntity state', 0.3),
  // The plan: after the steps of a demand, and before its outcome is written.
  held('rotator', 'tables', 'InsertOrReplaceEntity rotation', 0.5),
  held('rotator', 'tables', 'InsertOrReplaceEntity history', 0.3),
  held('rotator', 'keyvault', 'setSecret'),
  held('rotator', 'keyvault', 'updateSecret'),
  held('rotator', 'keyvault', 'listSecretVersions', 0.2),
  held('rotator', 'arm', 'listKeys', 0.2),
  held('rotator', 'arm', 'regenerateKey'),
  { name: 'rotator: any call', victim: 'rotator', kind: 'calls', max: 40 },
  { name: 'rotator: any time', victim: 'rotator', kind: 'ms', max: 4000 },
  { name: 'issuer: any time', victim: 'issuer', kind: 'ms', max: 60 },
];

export const POINTS: Readonly<Record<Wish, readonly Point[]>> = {
  rotate: [...PLACED, ...ROTATED],
  'rotate one slot': [...PLACED, ...ROTATED],
  emergency: [...PLACED, ...MARKED, ...ROTATED],
  'emergency of one slot': [...PLACED, ...MARKED, ...ROTATED],
  'leaked key': [...LEAKED, ...ROTATED],
};
/** Each slot that is retired gets one new key. */
export const NEW_KEYS: Readonly<Record<Wish, number>> = {
  rotate: 2,
  'rotate one slot': 1,
  emergency: 2,
  'emergency of one slot': 1,
  'leaked key': 1,
};
export const isEmergency = (wish: Wish): boolean => !wish.startsWith('rotate');
