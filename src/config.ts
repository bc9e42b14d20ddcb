/**
 * The settings, parsed once from the environment. All problems are reported together, each with the name of its
 * setting, and then the app does not start. A test compares the README's table of settings with this file.
 */
import * as z from 'zod';
import { scheduleProblem } from './ncrontab.ts';

const INITIAL_ROTATION_SCHEDULE = '0 */5 * * * *';

/** Lower-cased, because it is compared with GUIDs in tokens and events, where Entra writes them in lower case. */
const guid = z
  .string()
  .regex(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, 'must be a GUID')
  .toLowerCase();
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

export const settings = z.object({
  BROKER_ISSUER: url
    .refine(
      (text) => new URL(text).href === `${new URL(text).origin}/`,
      'must have no path, query or fragment: the metadata is found at its root',
    )
    .describe('The public URL of this app: the issuer in its metadata. Never taken from a Host header.'),
  BROKER_TENANT_ID: guid.describe('The home tenant, where the broker and its identities live.'),
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
  BROKER_POLICY: z.string().default('policy.json').describe('Path of the policy, from the app folder.'),
  BROKER_KEY_VAULT_URL: url.describe('The vault that holds the account keys.'),
  BROKER_TABLES_URL: url.describe(
    'The table endpoint. Over http, which only loopback may have, the published development key is used; else the identity.',
  ),
  BROKER_ISSUER_IDENTITY: guid.describe(
    'Client id of the user-assigned identity that issues: reads secrets and tables.',
  ),
  BROKER_ROTATOR_IDENTITY: guid.describe(
    'Client id of the user-assigned identity that rotates: keys and secrets.',
  ),
  BROKER_AUTHORITY: url
    .default('https://login.microsoftonline.com')
    .describe('The Entra authority of the cloud.'),
  BROKER_ARM_URL: url
    .default('https://management.azure.com')
    .describe('Azure Resource Manager of the cloud.'),
  BROKER_GRAPH_URL: url.default('https://graph.microsoft.com').describe('Microsoft Graph of the cloud.'),
  BROKER_ARM_SCOPE: z
    .string()
    .default('https://management.azure.com/.default')
    .describe('The scope of Azure Resource Manager, per cloud.'),
  BROKER_GRAPH_SCOPE: z
    .string()
    .default('https://graph.microsoft.com/.default')
    .describe('The scope of Microsoft Graph, per cloud.'),
  BROKER_FEDERATION_SCOPE: z
    .string()
    .default('api://AzureADTokenExchange/.default')
    .describe('The scope of the identity token that serves as client assertion, per cloud.'),
  BROKER_FRESHNESS_SECONDS: seconds(0, 30, 0).describe(
    'How stale a revocation check may be. 0: every exchange looks.',
  ),
  BROKER_MINIMUM_LIFE_SECONDS: seconds(0, 300, 60).describe('No token with less life left is handed out.'),
  BROKER_ROTATION_SCHEDULE: z
    .string()
    .superRefine((text, context) => {
      const problem = scheduleProblem(text);
      if (problem !== undefined) context.addIssue(`must be an NCRONTAB expression: ${problem}`);
    })
    .default(INITIAL_ROTATION_SCHEDULE)
    .describe('NCRONTAB schedule of the rotation timer. A tick with nothing due is cheap.'),
});

/**
 * The schedule of the rotation timer. The trigger is registered before all settings are read, and an exception there
 * would leave the app without any route. So a wrong schedule does not throw here; `readConfig` reports it.
 */
export function readRotationSchedule(environment: Readonly<Record<string, string | undefined>>): string {
  const schedule = settings.shape.BROKER_ROTATION_SCHEDULE.catch(INITIAL_ROTATION_SCHEDULE);
  return schedule.parse(environment['BROKER_ROTATION_SCHEDULE']);
}

export type Config = z.infer<typeof settings>;

/** The settings are not valid. The message lists every problem with the setting's name, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws ConfigError naming every wrong or missing setting. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // Empty means not set. Else an empty text would be parsed as the number 0, and a limit would be lost.
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text?.trim()));
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const setting = issue.path.join('.');
    return given[setting] === undefined ? `${setting}: is not set` : `${setting}: ${issue.message}`;
  });
  throw new ConfigError(`wrong settings:\n${problems.join('\n')}`);
}
