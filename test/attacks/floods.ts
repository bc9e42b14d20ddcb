/** Floods, and what good callers must keep under each. */
import { createQueue, QUEUES_SCOPE } from '../../src/azure/queue.ts';
import { type Broker, delivery, event, exchangeOf, FORM, formOf } from './broker.ts';
import { held, loop, type Pressure, paced, type Seconds } from './pressure.ts';
import { type Sending, send } from './send.ts';

export interface Flood {
  readonly what: string;
  readonly connections: number;
  /** Requests a second; undefined where the connections only stay open. */
  readonly perSecond?: number;
  readonly start: (broker: Broker, seconds: Seconds) => Promise<Pressure>;
  /** How long it goes on before good callers are counted. Initially half a second. */
  readonly settleMs?: number;
  /** By how much the resident memory of the broker may rise. */
  readonly maxRiseMiB?: number;
}

/** Of the exchanges a second that the same rate of 404s leaves to good callers. */
export const MIN_SHARE = 0.9;

const floodOf = (
  what: string,
  connections: number,
  perSecond: number,
  bytes: (broker: Broker) => Promise<() => Buffer> | (() => Buffer),
  more: Partial<Flood> = {},
): Flood => ({
  what,
  connections,
  perSecond,
  start: async (broker, seconds) => paced(broker.url, connections, perSecond, await bytes(broker), seconds),
  ...more,
});
const always = (sending: Sending) => () => {
  const bytes = onTheWire(sending);
  return () => bytes;
};
const json = (body: string): Sending => ({ headers: [['content-type', 'application/json']], body });
const members = (characters: number): string =>
  `{${Array.from({ length: Math.floor(characters / 9) }, (_, n) => `"${String(n).padStart(4, '0')}":""`).join()}}`;
const nested = (characters: number): string => {
  const depth = Math.floor(characters / 2) - 4;
  return `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
};
/** As large as an exchange with a full token of Entra: what no limit on the size of a body can keep out. */
const LEGITIMATE = 24_000;

/** A hundred events a second, on the way that events of Azure go: into the queue of the rotator app. */
function eventFlood(what: string, made: (broker: Broker) => object): Flood {
  return {
    what,
    connections: 8,
    perSecond: EVENTS_PER_SECOND,
    start: async (broker, seconds) => {
      const { apps, environment } = broker.stack.description;
      // A checkout from before the two apps has its events at the webhook, which takes them in batches.
      if (apps === undefined) {
        const batch = () => onTheWire(delivery(Array.from({ length: 10 }, () => made(broker))));
        return paced(broker.url, 8, EVENTS_PER_SECOND / 10, batch, seconds);
      }
      const token = await identityToken(environment.issuer);
      const url = environment.issuer['BROKER_QUEUES_URL'] ?? '';
      const queue = createQueue(url, 'events', async () => token, Date.now);
      return loop(EVENTS_PER_SECOND, 1, () => queue.put(JSON.stringify(made(broker)), 5_000), seconds);
    },
  };
}
const EVENTS_PER_SECOND = 100;

/** A token of the app's own identity, as it gets one itself. */
async function identityToken(settings: Readonly<Record<string, string>>) {
  const query = new URLSearchParams({
    'api-version': '2019-08-01',
    resource: QUEUES_SCOPE.replace('/.default', ''),
    client_id: settings['BROKER_ISSUER_IDENTITY'] ?? '',
  });
  const answer = await fetch(`${settings['IDENTITY_ENDPOINT']}?${query}`, {
    headers: { 'x-identity-header': settings['IDENTITY_HEADER'] ?? '' },
  });
  const { access_token: token, expires_on } = (await answer.json()) as Record<string, string>;
  return { token: token ?? '', expiresOnTimestamp: Number(expires_on) * 1000 };
}

export const floods: readonly Flood[] = [
  floodOf('anonymous JSON, 64 KB of members', 32, 100, always(json(members(64_000)))),
  floodOf('anonymous JSON, 64 KB of nesting', 32, 100, always(json(nested(64_000)))),
  floodOf('anonymous JSON, members, as large as an exchange', 32, 100, always(json(members(LEGITIMATE)))),
  floodOf('anonymous JSON, nesting, as large as an exchange', 32, 100, always(json(nested(LEGITIMATE)))),
  floodOf(
    'anonymous bodies of 8 MB on 200 connections',
    200,
    50,
    always({ headers: [FORM], body: 'x'.repeat(8_000_000) }),
    { maxRiseMiB: 64 },
  ),
  {
    what: 'half-sent bodies on 1,009 connections, after the grace',
    connections: 1_009,
    // The host gives a body five seconds before it looks at how fast it comes. Until then they hold all places.
    settleMs: 8_000,
    start: async ({ url }) => {
      const whole = onTheWire({ headers: [FORM], body: 'x'.repeat(2_000) });
      return held(url, 1_009, whole.subarray(0, whole.length - 1_000));
    },
  },
  floodOf('/health on 200 connections', 200, 500, always({ method: 'GET', path: '/health' })),
  floodOf('exchanges with a token that is none', 32, 300, always(exchangeOf('a.b.c'))),
  {
    what: 'one caller who buys the shared token and revokes it, over and over',
    connections: 4,
    perSecond: 40,
    start: async (broker, seconds) => {
      const token = await broker.tokenOf('captions');
      return loop(40, 2, () => buyAndRevoke(broker, token), seconds);
    },
  },
  eventFlood('new versions of a secret of ours, made up', () =>
    event('Microsoft.KeyVault.SecretNewVersionCreated', {
      ObjectName: 'speech-key',
      Version: crypto.randomUUID().replaceAll('-', ''),
    }),
  ),
  eventFlood('users deleted who never existed', ({ stack }) => {
    const id = crypto.randomUUID();
    return event('Microsoft.Graph.UserDeleted', {
      resource: `Users/${id}`,
      resourceData: { id, organizationId: stack.description.entra.tenantId },
    });
  }),
];

/** What leaves good callers alone as much as anything can: the same connections, the same rate, no route. */
export function sameRateOf404s(
  { connections, perSecond }: Flood,
  { url }: Broker,
  seconds: Seconds,
): Pressure {
  const bytes = onTheWire({ method: 'GET', path: '/nothing' });
  return perSecond === undefined
    ? held(url, connections, bytes)
    : paced(url, connections, perSecond, () => bytes, seconds);
}

async function buyAndRevoke({ url }: Broker, token: string): Promise<void> {
  const { body } = await send(url, { headers: [FORM], body: formOf(token) });
  const bought = /"access_token":"([^"]+)"/.exec(body)?.[1];
  if (bought === undefined) return;
  const authorization = ['authorization', `Bearer ${token}`] as const;
  await send(url, { path: '/oauth2/revoke', headers: [FORM, authorization], body: `token=${bought}` });
}

function onTheWire({ method = 'POST', path = '/oauth2/token', headers = [], body = '' }: Sending): Buffer {
  const length = method === 'GET' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...length];
  return Buffer.from(`${[...lines, ...headers.map((pair) => pair.join(': '))].join('\r\n')}\r\n\r\n${body}`);
}
