/** The shapes of requests and answers in the OpenAPI document. Its test compares real answers with them. */
import * as z from 'zod';
import { tokenKind } from '../policy/resource-schema.ts';
import { audit, explanation, instant, seconds, whatIf } from './openapi-audit-shapes.ts';
import { operatorShapes } from './openapi-operator-shapes.ts';
import { policyShapes } from './openapi-policy-shapes.ts';
import { problem } from './openapi-problem-shape.ts';
import { recordShapes } from './openapi-record-shapes.ts';
import { explainRequest } from './operator/explain.ts';
import { whatIfRequest } from './operator/what-if.ts';

const issuedType = z.enum([
  'urn:ietf:params:oauth:token-type:access_token',
  'urn:ietf:params:oauth:token-type:jwt',
]);

const tokenRequest = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:token-exchange'),
  subject_token: z.string().optional().describe("The caller's Entra access token; or send it as Bearer."),
  subject_token_type: z
    .enum(['urn:ietf:params:oauth:token-type:access_token', 'urn:ietf:params:oauth:token-type:jwt'])
    .optional()
    .describe('Required with subject_token.'),
  resource: z.string().optional().describe("The account's endpoint URL, or its name in the policy."),
  audience: z
    .string()
    .optional()
    .describe('In place of resource, or beside it: then both must name the same account.'),
  requested_token_type: issuedType.optional().describe('Absent: access_token.'),
  token_kind: tokenKind.optional().describe('Absent: the first kind of the grant.'),
  scope: z
    .string()
    .optional()
    .describe(
      "Only the target's own scope or endpoint, with or without `/.default`; several spellings are separated by blanks.",
    ),
});
const tokenAnswer = z.strictObject({
  access_token: z.string(),
  issued_token_type: issuedType.describe('`jwt` only where that was asked for.'),
  token_type: z.literal('Bearer'),
  expires_in: seconds,
  refresh_in: seconds.describe('When to come for the next, in seconds.'),
  token_kind: tokenKind,
  endpoint: z.url().describe('Where the token is good; an STS token at no other host.'),
  region: z.string(),
  speech_authorization: z.string().optional().describe('aad#resourceId#token, for the Speech SDK.'),
  revocation: z.string().describe('What a revocation can still end, in words.'),
});
const oauthError = z.strictObject({
  error: z.string(),
  error_description: z.string(),
  claims: z
    .string()
    .optional()
    .describe(
      'The claims challenge for the next sign-in: always with a token that is too old after a revocation.',
    ),
  correlation_id: z.string().optional(),
});
const protectedForm = z.object({ token: z.string(), token_type_hint: z.string().optional() });
const introspection = z.strictObject({
  active: z.boolean(),
  token_type: z.literal('Bearer').optional(),
  iss: z.url().optional(),
  aud: z.url().optional(),
  sub: z.string().optional().describe('The user it acts for, where it acts for one.'),
  tid: z.string().optional(),
  iat: seconds.optional(),
  exp: seconds.optional(),
  resource: z.string().optional(),
  token_kind: tokenKind.optional(),
});
const revoked = z.strictObject({
  revocation: z.string().optional(),
  accepted_by_azure_until: instant.optional(),
});
const metadata = z.looseObject({ issuer: z.url(), token_endpoint: z.url() });
const health = z.strictObject({
  status: z.enum(['ok', 'unavailable']),
  rotations_overdue: z.int().optional(),
  keys_of_unknown_age: z.int().optional(),
  record_minutes_behind: z
    .int()
    .optional()
    .describe('Settled minutes of the audit that are not closed yet. Absent: none ever was closed.'),
  accounts_unseen: z.int().optional().describe('The rotation has not looked at them yet.'),
  accounts_seen_within_seconds: z
    .int()
    .optional()
    .describe('Each other account was looked at within so many seconds.'),
  service: z.string().optional().describe('What is out of reach.'),
  detail: z.string().optional(),
});
const securityEventError = z.strictObject({ err: z.string(), description: z.string() });

const personFound = z.strictObject({
  ...problem.shape,
  found: z
    .strictObject({ objectId: z.guid(), enabled: z.boolean() })
    .describe('Whom Microsoft Graph has under the name. Send this object id to confirm.'),
});
export const shapes = {
  tokenRequest,
  tokenAnswer,
  oauthError,
  protectedForm,
  introspection,
  revoked,
  metadata,
  health,
  securityEventError,
  problem,
  personFound,
  ...operatorShapes,
  ...policyShapes,
  ...recordShapes,
  audit,
  explainRequest,
  explanation,
  whatIfRequest,
  whatIf,
};
export type ShapeName = keyof typeof shapes;
