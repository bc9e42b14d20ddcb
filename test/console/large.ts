/** What a broker of 1,000 accounts and 10,000 callers with a million recorded exchanges answers the console. */
import type { Page } from 'playwright-core';

export const ACCOUNTS = 1_000;
export const CALLERS = 10_000;
export const EXCHANGES = 1_000_000;
const HOUR_MS = 3_600_000;

const nameOf = (at: number) => `account-${String(at).padStart(4, '0')}`;
const idOf = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
const iso = (ms: number) => new Date(ms).toISOString();

const accountAt = (at: number, nowMs: number) => ({
  name: nameOf(at),
  kind: 'SpeechServices',
  tokenKinds: ['sts', 'entra'],
  rotates: true,
  asOf: iso(nowMs),
  state: 'steady (Key1)',
  phase: 'steady',
  active: 'Key1',
  slots: [
    {
      slot: 'Key1',
      state: 'active',
      fingerprint: '0123456789abcdef',
      since: iso(nowMs - (at % 700) * HOUR_MS),
    },
    {
      slot: 'Key2',
      state: 'spare',
      fingerprint: 'fedcba9876543210',
      since: iso(nowMs - (at % 300) * HOUR_MS),
    },
  ],
  next: { what: 'nothing before it is due', at: iso(nowMs + (at % 90) * HOUR_MS) },
  dueAt: iso(nowMs + (at % 90) * HOUR_MS),
  rotatedAt: iso(nowMs - (at % 300) * HOUR_MS),
  overdue: at % 97 === 0,
  stuck: false,
});

function policy() {
  const range = (count: number) => Array.from({ length: count }, (_, at) => at);
  return {
    tenants: [{ name: 'home', id: idOf(1) }],
    resources: range(ACCOUNTS).map((at) => ({
      name: nameOf(at),
      accountId: `/subscriptions/x/accounts/${at}`,
      kind: 'SpeechServices',
      region: 'westeurope',
      endpoint: `https://${nameOf(at)}.example`,
      tokenKinds: ['sts', 'entra'],
    })),
    grants: range(CALLERS / 10).map((grant) => ({
      name: `team-${grant}`,
      callers: range(10).map((at) => ({
        tenant: 'home',
        clientId: idOf(grant * 10 + at),
        appRole: 'Token.Exchange',
      })),
      resources: range(5).map((at) => nameOf((grant * 7 + at * 131) % ACCOUNTS)),
      tokenKinds: ['sts', 'entra'],
      maxLifetime: '10m',
      rate: { count: 60, per: '1m' },
    })),
    transmitters: [],
  };
}

function usage(asked: URLSearchParams): object[] {
  const by = (asked.get('by') ?? '').split(',');
  const [fromMs, toMs] = [Date.parse(asked.get('from') ?? ''), Date.parse(asked.get('to') ?? '')];
  const steps = Math.min(24, Math.max(1, Math.round((toMs - fromMs) / HOUR_MS)));
  const many = by.some((dimension) => dimension !== 'outcome') ? 200 : 1;
  const items = [];
  for (let step = 0; step < steps; step += 1)
    for (let one = 0; one < many; one += 1)
      for (const outcome of ['granted', 'refused'])
        items.push({
          at: iso(fromMs + (step * (toMs - fromMs)) / steps),
          ...(by.includes('resource') && { resource: nameOf(one) }),
          ...(by.includes('caller') && { caller: idOf(one) }),
          ...(by.includes('grant') && { grant: `team-${one}` }),
          ...(by.includes('outcome') && { outcome }),
          count: Math.round(EXCHANGES / steps / many / 2),
          lastAt: iso(toMs),
        });
  return items;
}

const recordAt = (at: number, fromMs: number) => ({
  at: iso(fromMs + at * 3),
  correlationId: at.toString(16).padStart(32, '0'),
  outcome: at % 9 === 0 ? 'refused' : 'granted',
  instance: 'x',
  policy: '0123456789ab',
  resource: nameOf(at % ACCOUNTS),
  kind: 'sts',
  tenantId: idOf(1),
  clientId: idOf(at % CALLERS),
  objectId: idOf(at % CALLERS),
  grant: `team-${at % 1_000}`,
});

/** Answers in the broker's place. */
export async function answerAsLarge(page: Page): Promise<void> {
  const nowMs = Date.now();
  const whole = policy();
  await page.route('**/operator/**', async (route) => {
    const url = new URL(route.request().url());
    const path = url.pathname.replace('/operator/', '');
    const at = Number(url.searchParams.get('after') ?? '0');
    const limit = Number(url.searchParams.get('limit') ?? '1000');
    const pageOf = (count: number, one: (at: number) => object) => ({
      items: Array.from({ length: Math.min(limit, count - at) }, (_, index) => one(at + index)),
      ...(at + limit < count && { next: String(at + limit) }),
    });
    const body = () => {
      if (path === 'accounts') return pageOf(ACCOUNTS, (one) => accountAt(one, nowMs));
      if (/^accounts\/[^/]+$/.test(path)) return accountAt(Number(path.slice(-4)), nowMs);
      if (path === 'policy') return { version: 'a'.repeat(64), policy: whole, shadowed: [] };
      if (path === 'usage') return { items: usage(url.searchParams) };
      if (path === 'audit')
        return pageOf(EXCHANGES, (one) => recordAt(one, Date.parse(url.searchParams.get('from') ?? '')));
      if (path === 'events')
        return pageOf(5_000, (one) => ({
          kind: 'effect',
          at: iso(nowMs - one * 1_000),
          key: `user:x:${idOf(one)}`,
        }));
      if (path === 'revocations')
        return pageOf(5_000, (one) => ({
          key: `client:${idOf(1)}:${idOf(one)}`,
          scope: { kind: 'client', tenantId: idOf(1), clientId: idOf(one) },
          cutOff: iso(nowMs),
          blocked: one % 2 === 0,
          reason: 'a reason',
          source: 'operator x',
          receivedAt: iso(nowMs - one * 1_000),
          inForceAt: iso(nowMs - one * 1_000 + 300),
          timeToEffectMs: 300,
          lastTokenUntil: iso(nowMs + 600_000),
        }));
      return { items: [] };
    };
    await route.fulfill({ contentType: 'application/json', body: JSON.stringify(body()) });
  });
}
