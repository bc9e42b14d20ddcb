/**
 * A broker with a thousand accounts, ten thousand callers and the roll-ups of a million exchanges, made up from a seed:
 * what the console is measured with.
 */
export const SIZE = { accounts: 1_000, callers: 10_000, exchanges: 1_000_000 } as const;
const DAYS = 30;
const HOUR_MS = 3_600_000;
const CALLERS_OF_A_GRANT = 100;
const REASONS = ['grant_missing', 'rate_exceeded', 'revoked', 'caller_unverified'] as const;

/** Mulberry32: the same numbers for the same seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
export const idOf = (kind: string, index: number): string =>
  `${kind}0000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const TENANT = idOf('e', 1);
const nameOf = (account: number): string => `ai-${String(account).padStart(4, '0')}`;
const grantOf = (caller: number): number => Math.floor(caller / CALLERS_OF_A_GRANT);
/** Ten accounts for each grant. */
const accountOf = (grant: number, place: number): number => (grant * 10 + place) % SIZE.accounts;

export function policyOf() {
  const resources = Array.from({ length: SIZE.accounts }, (_, account) => ({
    name: nameOf(account),
    accountId: `/subscriptions/${TENANT}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${nameOf(account)}`,
    kind: account % 3 === 0 ? 'SpeechServices' : 'OpenAI',
    region: 'westeurope',
    endpoint: `https://${nameOf(account)}.cognitiveservices.azure.com`,
    tokenKinds: ['sts', 'entra'],
  }));
  const grants = Array.from({ length: SIZE.callers / CALLERS_OF_A_GRANT }, (_, grant) => ({
    name: `team-${String(grant).padStart(3, '0')}`,
    ...(grant % 25 === 24 && { shadow: true }),
    callers: Array.from({ length: CALLERS_OF_A_GRANT }, (_, place) => ({
      tenant: 'home',
      clientId: idOf('c', grant * CALLERS_OF_A_GRANT + place),
      appRole: 'Token.Exchange',
    })),
    resources: Array.from({ length: 10 }, (_, place) => nameOf(accountOf(grant, place))),
    tokenKinds: ['sts', 'entra'],
    maxLifetime: '90m',
    rate: { count: 60, per: '1m' },
  }));
  return { tenants: [{ name: 'home', id: TENANT }], resources, grants };
}

export interface Exchange {
  readonly atMs: number;
  readonly caller: number;
  readonly resource: string;
  readonly grant: string;
  readonly kind: string;
  readonly outcome: 'granted' | 'refused';
  readonly reason: string;
}

/** One exchange after the other, the oldest first; read again it is the same. */
export function* exchanges(untilMs: number, most: number, seed = 1): Generator<Exchange> {
  const next = dice(seed);
  const stepMs = (DAYS * 24 * HOUR_MS) / most;
  for (let number = 0; number < most; number += 1) {
    // A few callers make most of the exchanges, as everywhere.
    const caller = Math.floor(next() ** 2 * SIZE.callers);
    const grant = grantOf(caller);
    const isRefused = next() < 0.02;
    yield {
      atMs: untilMs - (most - number) * stepMs,
      caller,
      resource: nameOf(accountOf(grant, Math.floor(next() * 10))),
      grant: `team-${String(grant).padStart(3, '0')}`,
      kind: next() < 0.7 ? 'sts' : 'entra',
      outcome: isRefused ? 'refused' : 'granted',
      reason: isRefused ? (REASONS[Math.floor(next() * REASONS.length)] ?? '') : '',
    };
  }
}

export function accountsOf(nowMs: number) {
  return Array.from({ length: SIZE.accounts }, (_, account) => ({
    name: nameOf(account),
    kind: account % 3 === 0 ? 'SpeechServices' : 'OpenAI',
    tokenKinds: ['sts', 'entra'],
    rotates: true,
    asOf: iso(nowMs),
    phase: account % 50 === 7 ? 'draining' : 'steady',
    active: account % 2 === 0 ? 'Key1' : 'Key2',
    slots: (['Key1', 'Key2'] as const).map((slot, place) => ({
      slot,
      state: place === account % 2 ? 'active' : account % 50 === 7 ? 'retiring' : 'spare',
      fingerprint: `${String(account).padStart(8, '0')}${place}0000000`,
      since: iso(nowMs - ((account % 29) + place) * 24 * HOUR_MS),
    })),
    dueAt: iso(nowMs + (30 - (account % 29)) * 24 * HOUR_MS),
    overdue: account % 101 === 0,
    stuck: account % 307 === 0,
  }));
}

export const iso = (ms: number): string => new Date(ms).toISOString();
