/**
 * Requests to every route of the OpenAPI document and to Event Grid's webhook, made from their schemas and bent.
 * What must hold of each answer: no 5xx but 503 while something is out of reach, in time, no secret in it.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openApi } from '../../src/http/openapi.ts';
import { withoutSecrets } from '../../src/secret.ts';
import { type Broker, delivery, event } from './broker.ts';
import { type Sending, send } from './send.ts';

interface Schema {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
const document = openApi() as unknown as Document;

const headerText = fc.stringMatching(/^[ -~]{1,40}$/);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'speech',
    'chat',
    'documents',
    'captions',
    '*',
    '',
    "' or 1 eq 1",
    '__proto__',
    '2026-11-22',
    '\r\nx: y',
  ),
  fc.uuid(),
);

/** Values that fit the schema, and now and then one that does not. */
function fitting(schema: Schema): fc.Arbitrary<unknown> {
  const name = schema.$ref?.split('/').at(-1);
  const inner = name === undefined ? plain(schema) : fitting(document.components.schemas[name] ?? {});
  return fc.oneof({ weight: 9, arbitrary: inner }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });
}
function plain(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return fc.oneof(...choices.map(fitting));
  switch (schema.type) {
    case 'object': {
      const members = Object.entries(schema.properties ?? {}).map(
        ([member, of]) => [member, fitting(of)] as const,
      );
      return fc.record(Object.fromEntries(members), { requiredKeys: [] });
    }
    case 'array':
      return fc.array(fitting(schema.items ?? {}), { maxLength: 4 });
    case 'boolean':
      return fc.boolean();
    default:
      return text;
  }
}

const CALLERS = ['captions', 'ada', 'operator', 'auditor', 'outsider'] as const;
type Tokens = ReadonlyMap<string, string>;
type Make = (tokens: Tokens) => Sending;
const authorization = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...CALLERS).map((name) => (tokens: Tokens) => `Bearer ${tokens.get(name)}`),
  },
  { weight: 1, arbitrary: headerText.map((sent) => () => sent) },
  { weight: 1, arbitrary: fc.constant(() => undefined) },
);

function asForm(value: unknown, tokens: Tokens): string {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return new URLSearchParams(
    members.map(([name, member]): [string, string] => [
      name.toWellFormed(),
      name.endsWith('token') ? (tokens.get('captions') ?? '') : asText(member).toWellFormed(),
    ]),
  ).toString();
}

/** JSON and not `String()`, which throws for an object that has a member named `toString`. */
function asText(member: unknown): string {
  return typeof member === 'string' ? member : JSON.stringify(member);
}

function operationOf(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
): fc.Arbitrary<Make> {
  const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) =>
    fitting(schema).map((value) => ({ type, value })),
  );
  const body = fc.oneof(...bodies.map((arbitrary) => ({ weight: 6, arbitrary })), {
    weight: 1,
    arbitrary: fc.tuple(headerText, text).map(([type, value]) => ({ type, value: value as unknown })),
  });
  const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  const query = fc.array(fc.tuple(fc.constantFrom('x', ...names), text), { maxLength: 3 });
  return fc
    .tuple(body, authorization, query, text, fc.option(headerText, { nil: undefined, freq: 3 }))
    .map(([{ type, value }, authorized, queried, segment, trace]) => (tokens) => {
      const search = new URLSearchParams(
        queried.map(([name, sent]): [string, string] => [name, sent.toWellFormed()]),
      ).toString();
      const place = path.replace(/\{[^}]+\}/, encodeURIComponent(segment.toWellFormed()) || 'x');
      const credentials = authorized(tokens);
      return {
        method: method.toUpperCase(),
        path: search === '' ? place : `${place}?${search}`,
        headers: [
          ['content-type', type],
          ...(credentials === undefined ? [] : [['authorization', credentials] as const]),
          ...(trace === undefined ? [] : [['traceparent', trace] as const]),
        ],
        body:
          typeof value === 'string'
            ? value
            : type.includes('form')
              ? asForm(value, tokens)
              : (JSON.stringify(value) ?? ''),
      };
    });
}

const EVENTS = [
  'AzureAiTokenBroker.RevocationRequested',
  'AzureAiTokenBroker.KeyLeaked',
  'Microsoft.KeyVault.SecretNewVersionCreated',
  'Microsoft.Resources.ResourceActionSuccess',
  'Microsoft.Graph.UserUpdated',
] as const;
const webhook: fc.Arbitrary<Make> = fc
  .tuple(fc.oneof(fc.constantFrom(...EVENTS), text), fc.jsonValue({ maxDepth: 4 }), fc.dictionary(text, text))
  .map(
    ([type, data, over]) =>
      () =>
        delivery([event(type, data, over)]),
  );

const requests: fc.Arbitrary<Make> = fc.oneof(
  webhook,
  ...Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => operationOf(path, method, operation)),
  ),
);

const OUTAGES = ['entra', 'identity', 'keyvault', 'arm', 'sts', 'tables', 'graph'] as const;
const MODES = [
  { mode: 'down' },
  { mode: 'garbage' },
  { mode: 'lost' },
  { mode: 'status', status: 500 },
  { mode: 'status', status: 429, retryAfterSeconds: 3 },
] as const;
/** Rare: with one, an answer may take the seconds of a timeout. */
const outage = fc.oneof(
  { weight: 60, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...OUTAGES), fc.constantFrom(...MODES)) },
);

/** @param maxMs how long an answer may take while nothing is out of reach */
export function routesProperty(
  broker: Broker,
  tokens: Tokens,
  maxMs: number,
): fc.IRawProperty<unknown, boolean> {
  const secrets = [...tokens.values()];
  return fc.asyncProperty(requests, outage, async (make, struck) => {
    if (struck !== undefined) await broker.stack.control('PUT', `/faults/${struck[0]}`, struck[1]);
    try {
      const sending = make(tokens);
      const startedMs = performance.now();
      const { status, text: answer, body } = await send(broker.url, sending);
      const tookMs = Math.round(performance.now() - startedMs);
      const asked = `${sending.method ?? 'POST'} ${sending.path?.split('?')[0]}`;
      const isEvent = sending.path?.startsWith('/runtime') === true;
      const allowed =
        status < 500 || (struck !== undefined && (status === 503 || (isEvent && status === 500)));
      assert.ok(allowed, `${asked}: ${status} ${withoutSecrets(body).slice(0, 200)}`);
      assert.ok(struck !== undefined || tookMs <= maxMs, `${asked}: ${tookMs} ms`);
      for (const secret of secrets)
        assert.ok(
          !answer.includes(secret.slice(0, 60)) && !answer.includes(secret.slice(-40)),
          `${asked}: a secret`,
        );
      if (!(status === 200 && asked === 'POST /oauth2/token'))
        assert.doesNotMatch(answer, /eyJ[\w-]{10,}\.[\w-]{10,}/, `${asked}: a token`);
    } finally {
      if (struck !== undefined) await broker.stack.control('DELETE', '/faults');
    }
  });
}

export async function tokensOf(broker: Broker): Promise<Tokens> {
  const pairs = CALLERS.map(async (name) => [name, await broker.tokenOf(name)] as const);
  return new Map(await Promise.all(pairs));
}
