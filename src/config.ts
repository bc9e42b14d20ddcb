/**
 * The settings of the two apps, parsed once from the environment. All problems are reported together, each with the
 * name of its setting, and then the app does not start. A test compares the README's table of settings with this file.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { guid } from './guid.ts';
import { scheduleProblem } from './ncrontab.ts';

const INITIAL_ROTATION_SCHEDULE = '0 */5 * * * *';

const url = z
  .url('must be a URL')
  .refine(
    (text) => !URL.canParse(text) || isSafe(new URL(text)),
    'must be https (http only on a loopback address)',
  )
  .transform((text) => text.replace(/\/+$/, ''));

function isSafe(target: URL): boolean {
  return target.protocol === 'https:' || (target.protocol === 'http:' && isLoopback(target.hostname));
}
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && isSafe(new URL(text));
}
/** Whether a simulated service may listen on this address. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

const seconds = (min: number, max: number, initial: number) =>
  z.coerce.number().int('must be whole seconds').min(min).max(max).default(initial);
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

/** What both apps need. */
const shared = {
  BROKER_TENANT_ID: guid.describe('The home tenant, where the broker and its identities live.'),
  BROKER_POLICY: z.string().default('policy.json').describe('Path of the policy, from the app folder.'),
  BROKER_KEY_VAULT_URL: url.describe('The vault that holds the account keys.'),
  BROKER_TABLES_URL: url.describe(
    'The table endpoint. Over http, which only loopback may have, the published development key is used; else the identity.',
  ),
  BROKER_BLOBS_URL: url.describe("The blob endpoint, where the container with the audit's proof is."),
  BROKER_GRAPH_URL: url.default('https://graph.microsoft.com').describe('Microsoft Graph of the cloud.'),
  BROKER_GRAPH_SCOPE: z
    .string()
    .default('https://graph.microsoft.com/.default')
    .describe('The scope of Microsoft Graph, per cloud.'),
  BROKER_FRESHNESS_SECONDS: seconds(0, 30, 0).describe(
    'How stale a revocation check may be. 0: every exchange looks.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: url
    .optional()
    .describe(
      'The OpenTelemetry collector (OTLP over HTTP) that gets traces and metrics. Absent: neither is made.',
    ),
  BROKER_TRACE_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe('The share of traces that are kept beside the slow and the failed ones, which are all kept.'),
};

/** The app that anybody can call. */
export const issuerSettings = z.object({
  ...shared,
  BROKER_ISSUER: url
    .refine(
      (text) => new URL(text).href === `${new URL(text).origin}/`,
      'must have no path, query or fragment: the metadata is found at its root',
    )
    .describe(
      'The public URL of the issuer app: the issuer in its metadata. Never taken from a Host header.',
    ),
  BROKER_CLIENT_ID: guid.describe("The broker's app registration: the audience callers' tokens must have."),
  BROKER_AUDIENCE_URIS: z
    .string()
    .default('')
    .transform((text) => text.split(' ').filter(Boolean))
    .describe('App ID URIs also accepted as audience of v1 tokens, separated by blanks.'),
  BROKER_ACCEPT_V1: flag.describe('Accept v1.0 Entra access tokens beside v2.0.'),
  BROKER_CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(' ').filter(Boolean))
    .refine(
      (origins) => origins.every(isOrigin),
      'must be origins as a browser sends them: https, host and port only (http only on a loopback address)',
    )
    .describe('Exact origins of browser apps that may get and revoke tokens, separated by blanks.'),
  BROKER_QUEUES_URL: url.describe('The queue endpoint, where the messages for the rotator are put.'),
  BROKER_ISSUER_IDENTITY: guid.describe(
    'Client id of the user-assigned identity that issues: reads the current keys and the tables.',
  ),
  BROKER_AUTHORITY: url
    .default('https://login.microsoftonline.com')
    .describe('The Entra authority of the cloud.'),
  BROKER_FEDERATION_SCOPE: z
    .string()
    .default('api://AzureADTokenExchange/.default')
    .describe('The scope of the identity token that serves as client assertion, per cloud.'),
  BROKER_MINIMUM_LIFE_SECONDS: seconds(0, 300, 60).describe('No token with less life left is handed out.'),
});

/** The app that nobody can call. */
export const rotatorSettings = z.object({
  ...shared,
  BROKER_ROTATOR_IDENTITY: guid.describe(
    'Client id of the user-assigned identity that rotates: keys and secrets.',
  ),
  BROKER_ARM_URL: url
    .default('https://management.azure.com')
    .describe('Azure Resource Manager of the cloud.'),
  BROKER_ARM_SCOPE: z
    .string()
    .default('https://management.azure.com/.default')
    .describe('The scope of Azure Resource Manager, per cloud.'),
  BROKER_ROTATION_SCHEDULE: z
    .string()
    .superRefine((text, context) => {
      const problem = scheduleProblem(text);
      if (problem !== undefined) context.addIssue(`must be an NCRONTAB expression: ${problem}`);
    })
    .default(INITIAL_ROTATION_SCHEDULE)
    .describe('NCRONTAB schedule of the rotation timer. A tick with nothing due is cheap.'),
  BROKER_AUDIT_DAYS: z.coerce
    .number()
    .int('must be whole days')
    .min(2)
    .max(36_500)
    .default(90)
    .describe('How many days a row of the audit is kept, once it is closed.'),
  BROKER_HOLD_FROM: z
    .string()
    .refine(
      (text) => text === '' || z.iso.datetime().safeParse(text).success,
      'must be an instant such as 2026-11-26T00:00:00Z',
    )
    .default('')
    .transform((text) => (text === '' ? undefined : Date.parse(text)))
    .describe(
      'A legal hold: nothing that was recorded from this instant on is removed, however old it becomes. Empty: none.',
    ),
  BROKER_HAND_BACK: flag.describe(
    "Begin nothing but an operator's emergency, and give the accounts back to the version with one app: the runbook says when.",
  ),
});

/**
 * The schedule of the rotation timer. The trigger is registered before all settings are read, and an exception there
 * would leave the app without any function. So a wrong schedule does not throw here; `readRotatorConfig` reports it.
 */
export function readRotationSchedule(environment: Readonly<Record<string, string | undefined>>): string {
  const schedule = rotatorSettings.shape.BROKER_ROTATION_SCHEDULE.catch(INITIAL_ROTATION_SCHEDULE);
  return schedule.parse(environment['BROKER_ROTATION_SCHEDULE']);
}

export type IssuerConfig = z.infer<typeof issuerSettings>;
export type RotatorConfig = z.infer<typeof rotatorSettings>;
type Environment = Readonly<Record<string, string | undefined>>;

/** The settings are not valid. The message lists every problem with the setting's name, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws ConfigError naming every wrong or missing setting, and every one of the rotator's. */
export function readIssuerConfig(environment: Environment): IssuerConfig {
  return read(issuerSettings, { of: 'rotator', settings: rotatorSettings }, environment);
}

/** @throws ConfigError naming every wrong or missing setting, and every one of the issuer's. */
export function readRotatorConfig(environment: Environment): RotatorConfig {
  return read(rotatorSettings, { of: 'issuer', settings: issuerSettings }, environment);
}

/**
 * A setting that only the other app knows is refused: whoever set it believes that it does something here, and an
 * app that is told of the other's identity may carry it too.
 */
function read<Settings extends z.ZodObject>(
  own: Settings,
  other: { readonly of: string; readonly settings: z.ZodObject },
  environment: Environment,
): z.infer<Settings> {
  // Empty means not set. Else an empty text would be parsed as the number 0, and a limit would be lost.
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text?.trim()));
  const problems = Object.keys(given)
    .filter((name) => name in other.settings.shape && !(name in own.shape))
    .map((name) => `${name}: is a setting of the ${other.of} app and must not be set here`);
  const parsed = own.safeParse(given);
  if (parsed.success && problems.length === 0) return parsed.data;
  for (const { path, message } of parsed.error?.issues ?? []) {
    const setting = path.join('.');
    problems.push(given[setting] === undefined ? `${setting}: is not set` : `${setting}: ${message}`);
  }
  throw new ConfigError(`wrong settings:\n${problems.join('\n')}`);
}

/** @throws ConfigError where the file cannot be read. */
export function readPolicyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new ConfigError(`BROKER_POLICY: ${file} cannot be read (${code})`);
  }
}
