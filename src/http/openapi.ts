/**
 * The OpenAPI 3.1 document of every route. Its test loads the functions and compares their routes and real answers
 * with it. It is loaded at the first request for it, because no exchange needs it.
 */
import * as z from 'zod';
import answered from './openapi-examples.json' with { type: 'json' };
import { type ShapeName, shapes } from './openapi-shapes.ts';

type Answers = Readonly<Record<number, readonly [description: string, shape?: ShapeName]>>;
interface Operation {
  readonly summary: string;
  readonly body?: Readonly<Record<string, ShapeName | undefined>>;
  readonly parameters?: readonly object[];
  readonly answers: Answers;
  readonly security?: readonly object[];
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const ENTRA = [{ entra: [] }];
const query = (name: string, description: string) => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
});

const unavailable: Answers = {
  503: ['something it depends on does not answer; see Retry-After', 'oauthError'],
};
const bodies: Answers = {
  413: ['the body is too large', 'oauthError'],
  415: ['the body has a Content-Encoding', 'oauthError'],
};
const protectedAnswers: Answers = {
  ...bodies,
  400: ['the request is not right', 'oauthError'],
  401: ['no accepted Entra access token as Bearer', 'oauthError'],
  ...unavailable,
};
const operatorAnswers: Answers = {
  400: ['what is wrong, in words, such as an unknown query parameter', 'problem'],
  401: ['no accepted Entra access token as Bearer', 'problem'],
  403: ["the app role is missing, or in a person's token the scope Broker.Operate", 'problem'],
  503: ['something it depends on does not answer; see Retry-After', 'problem'],
};
const PROBLEMS: ReadonlySet<ShapeName> = new Set(['problem', 'personFound']);
/** A scope may name a person, and then asks back. */
const asksBack: Answers = {
  409: [
    'a user principal name is where the object id is wanted; nothing was done, and `found` says whose it is',
    'personFound',
  ],
};
const withBody: Answers = {
  413: ['the body is too large', 'problem'],
};
const byOperator = (operation: Operation): Operation => ({
  ...operation,
  security: ENTRA,
  answers: { ...operation.answers, ...operatorAnswers },
});

const named = { name: 'name', in: 'path', required: true, schema: { type: 'string' } };
const absent: Answers = { 404: ['no such account, or its keys are not rotated', 'problem'] };
const page = [
  query('after', '`next` of the page before.'),
  query('limit', 'How many at most, 1 to 1,000. Absent: 100.'),
];
/** An act is answered with an operation, and happens once for each Idempotency-Key. */
const act = ({ parameters = [], answers, ...rest }: Operation): Operation =>
  byOperator({
    ...rest,
    parameters: [...parameters, idempotencyKey],
    answers: {
      ...answers,
      422: ['the Idempotency-Key was used for another request', 'problem'],
      ...withBody,
    },
  });
const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    '1 to 128 visible ASCII characters. The same request with the same key happens once; a key is kept for 90 days.',
  schema: { type: 'string' },
};

const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/oauth2/token': {
    post: {
      summary: "Exchanges the caller's Entra token for an Azure AI token (RFC 8693)",
      security: [{}, ...ENTRA],
      body: { [FORM]: 'tokenRequest', [JSON_TYPE]: 'tokenRequest' },
      answers: {
        200: ['a token', 'tokenAnswer'],
        400: ['a refusal: RFC 6749 section 5.2, RFC 8693 section 2.2.2', 'oauthError'],
        401: ['client authentication by Basic, which is not used here', 'oauthError'],
        ...bodies,
        429: ['too many exchanges under this grant; see Retry-After', 'oauthError'],
        ...unavailable,
      },
    },
  },
  '/oauth2/introspect': {
    post: {
      summary: 'Whether a token came from here and is still good (RFC 7662)',
      security: ENTRA,
      body: { [FORM]: 'protectedForm' },
      answers: { 200: ['about the token', 'introspection'], ...protectedAnswers },
    },
  },
  '/oauth2/revoke': {
    post: {
      summary: 'Stops handing out a token (RFC 7009)',
      security: ENTRA,
      body: { [FORM]: 'protectedForm' },
      answers: {
        200: ['done, or there was nothing to do', 'revoked'],
        429: ['you have dropped as many as a holder may; this one is still handed out', 'oauthError'],
        ...protectedAnswers,
      },
    },
  },
  '/.well-known/oauth-authorization-server': {
    get: { summary: 'Metadata (RFC 8414)', answers: { 200: ['the metadata', 'metadata'] } },
  },
  '/openapi.json': { get: { summary: 'This document', answers: { 200: ['OpenAPI 3.1'] } } },
  '/health': {
    get: {
      summary: 'Whether exchanges can be decided',
      answers: { 200: ['they can', 'health'], 503: ['they cannot; see Retry-After', 'health'] },
    },
  },
  '/signals': {
    post: {
      summary: 'Takes a Security Event Token (RFC 8935)',
      body: { 'application/secevent+jwt': undefined },
      answers: {
        202: ['understood, and in force'],
        400: ['never will be: do not send it again', 'securityEventError'],
        413: ['the body is too large', 'securityEventError'],
        503: ['not now: send it again; see Retry-After'],
      },
    },
  },
  '/operator/accounts': {
    get: byOperator({
      summary: 'The keys of every account, what is next and what blocks it (Broker.Auditor)',
      parameters: page,
      answers: { 200: ['a page, by name', 'accounts'] },
    }),
  },
  '/operator/accounts/{name}': {
    get: byOperator({
      summary: 'One account, with the lags of its last rotation (Broker.Auditor)',
      parameters: [named],
      answers: { 200: ['the account', 'account'], ...absent },
    }),
  },
  '/operator/accounts/{name}/history': {
    get: byOperator({
      summary: 'The steps of its rotations (Broker.Auditor)',
      parameters: [named, ...page],
      answers: { 200: ['a page, the newest first', 'history'], ...absent },
    }),
  },
  '/operator/accounts/{name}/rotate': {
    post: act({
      summary: 'Demands a rotation now (Broker.Operator)',
      parameters: [named],
      body: { [JSON_TYPE]: 'rotateRequest' },
      answers: { 202: ['demanded; Location is where to follow it', 'started'], ...absent },
    }),
  },
  '/operator/accounts/{name}/pause': {
    post: act({
      summary:
        'Begins no rotation until it is resumed, whatever the policy says; an emergency still does (Broker.Operator)',
      parameters: [named],
      body: { [JSON_TYPE]: 'reasonOnly' },
      answers: { 200: ['the account, paused', 'accountDone'], ...absent },
    }),
  },
  '/operator/accounts/{name}/resume': {
    post: act({
      summary: 'Ends a pause, also one of the policy (Broker.Operator)',
      parameters: [named],
      body: { [JSON_TYPE]: 'reasonOnly' },
      answers: { 200: ['the account, not paused', 'accountDone'], ...absent },
    }),
  },
  '/operator/operations': {
    get: byOperator({
      summary: 'Every act of an operator and what came of it (Broker.Auditor)',
      parameters: page,
      answers: { 200: ['a page, the newest first', 'operations'] },
    }),
  },
  '/operator/operations/{id}': {
    get: byOperator({
      summary: 'What came of an act (Broker.Auditor)',
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      answers: { 200: ['the operation', 'operation'], 404: ['no such operation', 'problem'] },
    }),
  },
  '/operator/revocations': {
    get: byOperator({
      summary: 'What is revoked, and how fast it was in force (Broker.Auditor)',
      parameters: page,
      answers: { 200: ['a page, the newest first', 'revocations'] },
    }),
    post: act({
      summary: 'Revokes (Broker.Operator)',
      body: { [JSON_TYPE]: 'revocationRequest' },
      answers: { 200: ['in force on every instance', 'revocationEffect'], ...asksBack },
    }),
  },
  '/operator/revocations/lift': {
    post: act({
      summary: 'Ends a block (Broker.Operator)',
      body: { [JSON_TYPE]: 'lift' },
      answers: { 200: ['done', 'lifted'], ...asksBack },
    }),
  },
  '/operator/events': {
    get: byOperator({
      summary: 'What came in and what it did: effects, signals, and what could not be used (Broker.Auditor)',
      parameters: page,
      answers: { 200: ['a page, the newest first', 'events'] },
    }),
  },
  '/operator/audit': {
    get: byOperator({
      summary: 'Who got tokens, who was refused, and what operators did (Broker.Auditor)',
      parameters: [
        query('from', 'RFC 3339. Absent: an hour before `to`.'),
        query('to', 'RFC 3339. Absent: now.'),
        query(
          'resource',
          "Only this one: an account's name or endpoint, or whatever else a caller asked for.",
        ),
        query('caller', 'Only of this one: an object id or a client id.'),
        query('outcome', 'Only these: granted, refused, withheld, done or failed.'),
        ...page,
      ],
      answers: { 200: ['a page, oldest first', 'audit'] },
    }),
  },
  '/operator/explain': {
    post: byOperator({
      summary:
        'Why a caller was refused, by the correlation id of the answer, or what a described caller would be answered (Broker.Auditor); a caller may ask about its own refusal',
      body: { [JSON_TYPE]: 'explainRequest' },
      answers: {
        200: [
          'the decision, each grant of the resource with its conditions, and what would flip it',
          'explanation',
        ],
        404: ['no such record in the span', 'problem'],
        429: ['too many callers ask about their own refusals; Retry-After says when', 'problem'],
        ...withBody,
      },
    }),
  },
  '/operator/what-if': {
    post: byOperator({
      summary:
        'What the recorded requests of a span would be answered under a draft policy (Broker.Auditor). A large body may be sent with Content-Encoding: gzip',
      body: { [JSON_TYPE]: 'whatIfRequest' },
      answers: {
        200: ['who gains and who loses what, the most affected first', 'whatIf'],
        422: ['the draft is no policy; every problem with its path', 'problem'],
        ...withBody,
      },
    }),
  },
};

let document: Record<string, unknown> | undefined;

export function openApi(): Record<string, unknown> {
  document ??= {
    openapi: '3.1.0',
    info: { title: 'Azure AI token broker', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    paths: mapValues(paths, (operations, path) =>
      mapValues(operations, (operation, method) => describe(`${method.toUpperCase()} ${path}`, operation)),
    ),
    components: {
      schemas: mapValues(shapes, (shape) => schemaOf(shape)),
      securitySchemes: {
        entra: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An Entra access token for the broker.',
        },
      },
    },
  };
  return document;
}

function schemaOf(shape: z.ZodType): object {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: 'input' });
  return schema;
}

/** What a run of the local mode answered, by route and status: `GET /operator/audit 200`. */
const EXAMPLES: Readonly<Record<string, unknown>> = answered;

function describe(route: string, { summary, body, parameters, answers, security }: Operation): object {
  return {
    summary,
    ...(security && { security }),
    ...(parameters && { parameters }),
    ...(body && {
      requestBody: { required: true, content: mapValues(body, (shape) => ({ schema: ref(shape) })) },
    }),
    responses: mapValues(answers, ([description, shape], status) => ({
      description,
      ...(shape && {
        content: {
          [PROBLEMS.has(shape) ? 'application/problem+json' : JSON_TYPE]: {
            schema: ref(shape),
            ...exampleOf(`${route} ${status}`),
          },
        },
      }),
    })),
  };
}

const exampleOf = (key: string): object => (Object.hasOwn(EXAMPLES, key) ? { example: EXAMPLES[key] } : {});

const ref = (shape: ShapeName | undefined): object =>
  shape === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${shape}` };

function mapValues<T, R>(
  from: Readonly<Record<string, T>>,
  to: (value: T, name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value, name)]));
}
