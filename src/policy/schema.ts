/**
 * The policy: who may have which token for which resource. The policy's types and infra/policy.schema.json
 * (`npm run schema`) are made from this file. Unknown keys are refused everywhere.
 */
import * as z from 'zod';
import { TOKEN_KINDS } from '../token-kind.ts';
import { duration } from './duration.ts';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens, at most 63');
const guid = z.string().regex(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/, 'a GUID in lower case');
const httpsUrl = z
  .url({ protocol: /^https$/, error: 'an https URL' })
  .refine((text) => !URL.canParse(text) || isPlain(new URL(text)), 'no user, query or fragment belongs here');
const isPlain = ({ username, password, search, hash }: URL) =>
  `${username}${password}${search}${hash}` === '';
/** The scopes of Azure AI, sovereign clouds too. A token for another scope would give away the broker's own rights. */
const azureAiScope = z
  .string()
  .regex(/^https:\/\/(cognitiveservices|ai)\.azure\.(com|us|cn)\/\.default$/, 'a scope of Azure AI');
/** A name, or a prefix with one `*` at the end. Never a regular expression. */
const pattern = z
  .string()
  .regex(/^[a-z0-9-]*\*?$/, 'a name, or a prefix with one trailing *')
  .min(1);

export const tokenKind = z.enum(TOKEN_KINDS);

const identity = z.discriminatedUnion('kind', [
  /** An app registration that trusts the broker's own identity: tokens of 60-90 minutes. */
  z.strictObject({ kind: z.literal('application') }),
  /** The app's own identity: tokens of up to 24 hours. */
  z.strictObject({ kind: z.literal('systemAssigned') }),
  z.strictObject({ kind: z.literal('userAssigned'), clientId: guid }),
]);

/** Another holder of the account's key, and how long it may take to read a new one. */
const consumer = z.discriminatedUnion('kind', [
  /** App Service and Functions read a Key Vault reference again within 24 hours. */
  z.strictObject({ kind: z.literal('keyVaultReferences') }),
  z.strictObject({ kind: z.literal('application'), name: z.string().min(1), within: duration }),
]);

const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'HH:MM, UTC');
const rotation = z.strictObject({
  /** From one rotation to the next. */
  period: duration.default(30 * 86_400_000),
  /**
   * The author of the policy states that both keys of the account were made at or after this time (RFC 3339). Without
   * it the age of a key that the broker did not make is unknown, and the key is rotated within a day.
   */
  keysSince: z.iso
    .datetime({ offset: true, error: 'a time such as 2026-11-01T00:00:00Z' })
    .transform((text) => Date.parse(text))
    .describe(
      'Both keys of the account were made at or after this time (RFC 3339). Without it a key that the broker did not make has an unknown age and is rotated within a day of adoption.',
    )
    .optional(),
  /** `full`: both keys each period, the procedure of the Microsoft course. `alternating`: one key each period. */
  mode: z.enum(['full', 'alternating']).default('full'),
  paused: z.boolean().default(false),
  /** No rotation starts in this time of day, but a running one continues. The time may include midnight. */
  blackout: z.strictObject({ from: timeOfDay, to: timeOfDay }).optional(),
  consumers: z.array(consumer).default([]),
});

const resource = z.strictObject({
  name,
  accountId: z
    .string()
    .regex(
      /^\/subscriptions\/[0-9a-fA-F-]{36}\/resourceGroups\/[^/\\#?%\s]{1,90}\/providers\/Microsoft\.CognitiveServices\/accounts\/[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$/i,
      'the ARM id of an Azure AI account',
    ),
  /** The account's kind as ARM names it, for example SpeechServices, TextTranslation, OpenAI, AIServices. */
  kind: z.string().min(1),
  region: z.string().regex(/^[a-z0-9]+$/),
  /** The account's own host (custom subdomain). */
  endpoint: httpsUrl,
  /** The region's host, if callers use it. A key-exchange token works only at the host that issued it. */
  regionalEndpoint: httpsUrl.optional(),
  tokenKinds: z.array(tokenKind).min(1),
  identity: identity.default({ kind: 'application' }),
  scope: azureAiScope.default('https://cognitiveservices.azure.com/.default'),
  /** Required with a managed identity, whose tokens live up to 24 h, so that the long life is a decision. */
  maxLifetime: duration.optional(),
  /** The name of the secret that holds the account's current key. */
  secret: z
    .string()
    .regex(/^[0-9a-zA-Z-]{1,127}$/)
    .optional(),
  rotation: rotation.optional(),
});

const caller = z.strictObject({
  tenant: name,
  clientId: guid.optional(),
  objectId: guid.optional(),
  appRole: z.string().min(1).optional(),
  scope: z.string().min(1).optional(),
  group: guid.optional(),
});

const grant = z.strictObject({
  name,
  /** A caller needs to match one of these rules, with all the conditions of that rule. */
  callers: z.array(caller).min(1),
  resources: z.array(pattern).min(1),
  tokenKinds: z.array(tokenKind).min(1),
  /** A token with more life left is never handed out under this grant. */
  maxLifetime: duration,
  /** Exchanges per caller under this grant, counted by each instance. */
  rate: z.strictObject({ count: z.int().min(1).max(1_000_000), per: duration }),
});

/** A sender of Security Event Tokens, and how its subjects name callers. */
const transmitter = z.strictObject({
  name,
  issuer: z.url(),
  jwksUri: httpsUrl,
  audience: z.string().min(1),
  streamId: z.string().min(1).optional(),
  profile: z.enum(['strict', 'lenient']).default('strict'),
  /** The `state` that a verification event must have, if one was requested from this transmitter (SSF 1.0). */
  verificationState: z.string().min(1).optional(),
  /** The transmitter's `critical_subject_members`: an event is ignored if it has one that the broker does not know. */
  criticalSubjectMembers: z.array(z.string().min(1)).default([]),
  /** The tenants whose callers this transmitter may send events about. */
  tenants: z.array(name).min(1),
});

export const policySchema = z.strictObject({
  $schema: z.string().optional(),
  tenants: z.array(z.strictObject({ name, id: guid })).min(1),
  resources: z.array(resource).min(1),
  grants: z.array(grant),
  transmitters: z.array(transmitter).default([]),
});

export type Policy = z.infer<typeof policySchema>;
export type Resource = Policy['resources'][number];
export type Grant = Policy['grants'][number];
export type CallerRule = Grant['callers'][number];
export type Transmitter = Policy['transmitters'][number];
export type Rotation = NonNullable<Resource['rotation']>;
