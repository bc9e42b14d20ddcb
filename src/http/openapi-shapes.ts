/** The shapes of requests and answers in the OpenAPI document. Its test compares real answers with them. */
import * as z from 'zod';
import { demandShape } from '../demand/demand.ts';
import { tokenKind } from '../policy/resource-schema.ts';
import { scopeShape } from '../revocation/events/request.ts';
import type { Plan } from '../rotation/planned.ts';
import { PROBLEM_CODES } from '../rotation/problem.ts';
import { audit, explanation, instant, seconds, whatIf } from './openapi-audit-shapes.ts';
import { explainRequest } from './operator/explain.ts';
import { whatIfRequest } from './operator/what-if.ts';

const accessToken = z.literal('urn:ietf:params:oauth:token-type:access_token');

const tokenRequest = z.object({
  grant_type: z.literal('urn:ietf:params:oauth:grant-type:token-exchange'),
  subject_token: z.string().optional().describe("The caller's Entra access token; or send it as Bearer."),
  subject_token_type: z
    .enum(['urn:ietf:params:oauth:token-type:access_token', 'urn:ietf:params:oauth:token-type:jwt'])
    .optional()
    .describe('Required with subject_token.'),
  resource: z.string().optional().describe("The account's endpoint URL, or its name in the policy."),
  audience: z.string().optional().describe('In place of resource: exactly one target is required.'),
  requested_token_type: accessToken.optional(),
  token_kind: tokenKind.optional().describe('Absent: the first kind of the grant.'),
  scope: z.string().optional().describe("Only the target's own scope."),
});
const tokenAnswer = z.strictObject({
  access_token: z.string(),
  issued_token_type: accessToken,
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
  service: z.string().optional().describe('What is out of reach.'),
});
const securityEventError = z.strictObject({ err: z.string(), description: z.string() });

/** RFC 9457. */
const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
});
const revocationRequest = z.strictObject({
  scope: scopeShape,
  notBefore: instant
    .optional()
    .describe('Tokens issued before are refused, and those dated up to two minutes after. Absent: now.'),
  block: z.boolean().optional().describe('Refuse all tokens until the scope is lifted.'),
  reason: z.string().optional(),
});
const revocationEffect = z.strictObject({
  key: z.string(),
  receivedAt: instant,
  inForceAt: instant,
  timeToEffectMs: z.int(),
  lastTokenUntil: instant.describe('When the last token that is already out has run out.'),
});
const revocations = z.strictObject({ revocations: z.array(z.looseObject({ key: z.string() })) });
const lift = z.strictObject({ scope: scopeShape });
const lifted = z.strictObject({ lifted: z.boolean().describe('Whether anything was blocked.') });
const events = z.strictObject({
  poison: z.array(z.record(z.string(), z.string())),
  signals: z.array(z.record(z.string(), z.string())),
  effects: z.array(z.record(z.string(), z.string())),
});
const keyBornAt = instant.or(z.literal('unknown')).describe('`unknown`: nobody saw when the key was made.');
const plan = z.strictObject({
  resource: z.string(),
  asOf: instant.optional().describe('When the rotator app computed it. Absent: it has not looked yet.'),
  state: z.string(),
  next: z.string().describe('What the next tick does, or what it waits for.'),
  at: instant.optional().describe('Absent: with the next tick.'),
  blocked: z.string().optional().describe('Why nothing goes on.'),
  code: z.enum(PROBLEM_CODES).optional().describe('Its kind; infra/README.md says what to do about each.'),
  todo: z.string().optional().describe('What a person should do.'),
  rotatedAt: instant.optional().describe('Absent: no whole rotation since the account was adopted.'),
  keysBornAt: z.strictObject({ Key1: keyBornAt, Key2: keyBornAt }).optional(),
  dueAt: instant.optional(),
  overdue: z.boolean(),
  steps: z.array(
    z.strictObject({
      at: instant,
      from: z.string(),
      to: z.string(),
      why: z.string(),
      tookSeconds: z.number(),
      by: z.string(),
      emergency: z.literal(true).optional(),
      newKeyLagSeconds: z.number().optional(),
      oldKeyLagSeconds: z.number().optional(),
    }),
  ),
}) satisfies z.ZodType<Plan>;
const rotationPlan = z.strictObject({ resources: z.array(plan) });
const rotationRequest = z.strictObject({
  slot: z
    .enum(['Key1', 'Key2'])
    .optional()
    .describe('Absent: what the schedule would do; in an emergency both slots.'),
  emergency: z
    .boolean()
    .optional()
    .describe(
      'Without the drain: the slot is regenerated while tokens bought with it may still live, ten minutes at most. From the answer on none of them is handed out (once the rotator has taken the account over); where it is the current slot, exchanges are answered 503 until the rotator has promoted the other one.',
    ),
  reason: z.string().optional(),
});
const rotationDemanded = z.strictObject({
  resource: z.string(),
  demand: z.guid().describe('The id under which /operator/demands tells what came of it.'),
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
  revocationRequest,
  revocationEffect,
  revocations,
  lift,
  lifted,
  events,
  audit,
  explainRequest,
  explanation,
  whatIfRequest,
  whatIf,
  rotationPlan,
  rotationRequest,
  rotationDemanded,
  demand: demandShape,
};
export type ShapeName = keyof typeof shapes;
