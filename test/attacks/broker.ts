/** The broker that is attacked: the local mode with the real function files, and what a hostile client can have. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { type Stack, startStack } from '../flows/stack.ts';
import type { Sending } from './send.ts';

export const FORM = ['content-type', 'application/x-www-form-urlencoded'] as const;
export const JSON_TYPE = ['content-type', 'application/json'] as const;
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const strangersJwk = stranger.publicKey.export({ format: 'jwk' });

export interface Broker {
  readonly stack: Stack;
  readonly url: string;
  /** A good token of a caller of the demo set, the same one each time. */
  tokenOf(caller: string): Promise<string>;
  /** Signed with Entra's own key, whatever it says. A claim given as null is left out. */
  signed(claims: object, header?: object): Promise<string>;
  endpointOf(resource: string): string;
}

/** @param checkout a folder with the product; initially this one. Its timers do not fire during the attack. */
export async function startBroker(checkout?: string): Promise<Broker & AsyncDisposable> {
  const stack = await startStack([], { BROKER_ROTATION_SCHEDULE: '0 0 0 29 2 *' }, checkout);
  const tokens = new Map<string, Promise<string>>();
  const broker: Broker = {
    stack,
    url: stack.description.broker,
    tokenOf: (caller) => {
      const known = tokens.get(caller) ?? stack.callerToken(caller);
      tokens.set(caller, known);
      return known;
    },
    signed: async (claims, header = {}) =>
      String((await stack.control('POST', '/entra/sign', { header, claims }))['token']),
    endpointOf: (resource) =>
      stack.description.resources.find(({ name }) => name === resource)?.endpoint ?? '',
  };
  await passReconcile(stack);
  await stack.warm();
  return { ...broker, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

/** The timer `reconcile` fires every five minutes and half a minute, and what it asks must not be taken for an attack's. */
async function passReconcile(stack: Stack): Promise<void> {
  const nowSeconds = Date.parse(String((await stack.control('GET', '/clock'))['now'])) / 1000;
  const sinceSeconds = (nowSeconds - 30) % 300;
  await stack.control('POST', '/clock', { advanceSeconds: 301 - sinceSeconds });
  while (!stack.log().includes("Executed 'Functions.reconcile'"))
    await new Promise((resolve) => setTimeout(resolve, 50));
}

/** An exchange as a form; `undefined` takes a member away. */
export function exchangeOf(subjectToken: string, rest: Record<string, string | undefined> = {}): Sending {
  return { headers: [FORM], body: formOf(subjectToken, rest) };
}
export function formOf(subjectToken: string, rest: Record<string, string | undefined> = {}): string {
  const members = {
    grant_type: EXCHANGE,
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    resource: 'speech',
    ...rest,
  };
  const sent = Object.entries(members).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return new URLSearchParams(sent).toString();
}

/** The header and the claims of a token, for bending them. */
export function opened(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header, claims] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
  return { header: header ?? {}, claims: claims ?? {} };
}

const encode = (value: string | object): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
export const unsigned = (header: string | object, claims: string | object, signature = ''): string =>
  `${encode(header)}.${encode(claims)}.${signature}`;
export function strangerSigned(header: object, claims: object): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), stranger.privateKey).toString('base64url')}`;
}
export function hmacSigned(header: object, claims: object, key: string | Buffer): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** Event Grid's delivery of one batch. */
export function delivery(events: unknown): Sending {
  return {
    path: '/runtime/webhooks/eventgrid?functionName=react',
    headers: [JSON_TYPE, ['aeg-event-type', 'Notification']],
    body: typeof events === 'string' ? events : JSON.stringify(events),
  };
}
export function event(type: string, data: unknown, over: object = {}): Record<string, unknown> {
  return {
    id: crypto.randomUUID(),
    topic: '/subscriptions/x',
    subject: 'x',
    eventType: type,
    eventTime: new Date().toISOString(),
    dataVersion: '1',
    data,
    ...over,
  };
}
