/** The routes under `/operator` in the OpenAPI document. */
import { type Answers, ENTRA, JSON_TYPE, type Operation } from './openapi-operation.ts';

const query = (name: string, description: string) => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
});

const operatorAnswers: Answers = {
  400: ['what is wrong, in words, such as an unknown query parameter', 'problem'],
  401: ['no accepted Entra access token as Bearer', 'problem'],
  403: ["the app role is missing, or in a person's token the scope Broker.Operate", 'problem'],
  503: ['something it depends on does not answer; see Retry-After', 'problem'],
};
/** A scope may name a person, and then asks back. */
const asksBack: Answers = {
  409: [
    'a user principal name is where the object id is wanted; nothing was done, and `found` says whose it is',
    'personFound',
  ],
};
export const withBody: Answers = {
  413: ['the body is too large', 'problem'],
};
export const byOperator = (operation: Operation): Operation => ({
  ...operation,
  security: ENTRA,
  answers: { ...operation.answers, ...operatorAnswers },
});

const named = { name: 'name', in: 'path', required: true, schema: { type: 'string' } };
const absent: Answers = { 404: ['no such account, or its keys are not rotated', 'problem'] };
export const page = [
  query('after', '`next` of the page before.'),
  query('limit', 'How many at most, 1 to 1,000. Absent: 100.'),
];
const minutes = [
  query('from', 'RFC 3339; its minute is the first one. Absent: an hour before `to`.'),
  query('to', 'RFC 3339; minutes that begin before it are meant. Absent: now.'),
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
const said = (summary: string): Operation =>
  act({
    summary,
    parameters: [named],
    body: { [JSON_TYPE]: 'reasonOnly' },
    answers: { 200: ['the account as it is now', 'accountDone'], ...absent },
  });

export const operatorPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
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
    post: said(
      'Begins no rotation until it is resumed, whatever the policy says; an emergency still does (Broker.Operator)',
    ),
  },
  '/operator/accounts/{name}/resume': {
    post: said('Ends a pause, also one of the policy (Broker.Operator)'),
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
  '/operator/audit/export': {
    get: byOperator({
      summary:
        'The rows of a span as they are stored, with their proof, for a program that verifies them (Broker.Auditor)',
      parameters: [
        ...minutes,
        query('after', 'As in the Link of the page before; the pages, one after the other, are the export.'),
      ],
      answers: {
        200: ['JSON Lines as infra/PROOF.md describes them; Link with rel="next" where there are more'],
      },
    }),
  },
  '/operator/proof': {
    get: byOperator({
      summary: 'The entries of the chain that proves the audit, one for each closed minute (Broker.Auditor)',
      parameters: [...minutes, ...page],
      answers: { 200: ['a page, oldest first', 'proof'] },
    }),
  },
  '/operator/usage': {
    get: byOperator({
      summary: 'Who used what, how much and when last, of what is closed (Broker.Auditor)',
      parameters: [
        query(
          'from',
          'RFC 3339; the period that it is in counts whole. Absent: a day, 30 days or a year before `to`.',
        ),
        query('to', 'RFC 3339; periods that begin before it count. Absent: now.'),
        query(
          'by',
          'Some of resource, caller, grant, kind, outcome and reason, with commas between. Absent: resource.',
        ),
        query(
          'per',
          'hour, day, month, or span: all of it as one. Absent: day. Hours are kept as long as the audit, days without end.',
        ),
        ...['resource', 'grant', 'kind', 'outcome', 'reason'].map((name) =>
          query(name, `Only this ${name}.`),
        ),
        query('caller', 'Only of this one: an object id or a client id.'),
        query('after', '`next` of the page before.'),
        query('limit', 'How many items at most, 1 to 1,000. Absent: 1,000.'),
      ],
      answers: { 200: ['a page: the earliest period first, and in it the most used first', 'usage'] },
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
