/**
 * The OpenAPI 3.1 document of every route. Its test loads the functions and compares their routes and real answers
 * with it. It is loaded at the first request for it, because no exchange needs it.
 */
import * as z from 'zod';
import answered from './openapi-examples.json' with { type: 'json' };
import { type Answers, ENTRA, JSON_TYPE, type Operation } from './openapi-operation.ts';
import { operatorPaths } from './openapi-operator-paths.ts';
import { policyPaths } from './openapi-policy-paths.ts';
import { type ShapeName, shapes } from './openapi-shapes.ts';

const FORM = 'application/x-www-form-urlencoded';
const PROBLEMS: ReadonlySet<ShapeName> = new Set([
  'problem',
  'personFound',
  'policyUnconfirmed',
  'policyConflict',
  'policyInvalid',
]);

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
  ...operatorPaths,
  ...policyPaths,
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
