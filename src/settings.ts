/**
 * What can be set in the two apps, and what each setting must look like. The apps read it (config.ts); the command
 * compares a deployment with it, and so it says what is wrong without ever saying a value.
 */
import * as z from 'zod';
import { guid } from './guid.ts';
import { isPrivate } from './loopback.ts';
import { scheduleProblem } from './ncrontab.ts';

export const INITIAL_ROTATION_SCHEDULE = '0 */5 * * * *';

const url = z
  .url('must be a URL')
  .refine(
    (text) => !URL.canParse(text) || isPrivate(new URL(text)),
    'must be https (http only on a loopback address)',
  )
  .transform((text) => text.replace(/\/+$/, ''));

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && isPrivate(new URL(text));
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
  BROKER_CONSOLE_CLIENT_ID: guid
    .optional()
    .describe("The console's app registration, a single-page app. Without it there is no console."),
  BROKER_CONSOLE_AUTHORITY: url
    .optional()
    .describe('The Entra authority as a browser reaches it, where that differs.'),
  BROKER_CONSOLE_FILES: z
    .string()
    .default('console')
    .describe("The folder with the console's files, from the app folder."),
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

export const SETTINGS = { issuer: issuerSettings, rotator: rotatorSettings } as const;
export type AppName = keyof typeof SETTINGS;
export const APP_NAMES: readonly AppName[] = ['issuer', 'rotator'];
export const otherThan = (app: AppName): AppName => (app === 'issuer' ? 'rotator' : 'issuer');
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Every problem, with the name of the setting and never its value. A setting that only the other app knows is refused:
 * whoever set it believes that it does something here, and an app that is told of the other's identity may carry it too.
 */
export function readSettings<Settings extends z.ZodObject>(
  own: Settings,
  other: { readonly of: AppName; readonly settings: z.ZodObject },
  environment: Environment,
): { readonly settings: z.infer<Settings> } | { readonly problems: readonly string[] } {
  // Empty means not set. Else an empty text would be parsed as the number 0, and a limit would be lost.
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text?.trim()));
  const problems = Object.keys(given)
    .filter((name) => name in other.settings.shape && !(name in own.shape))
    .map((name) => `${name}: is a setting of the ${other.of} app and must not be set here`);
  const parsed = own.safeParse(given);
  if (parsed.success && problems.length === 0) return { settings: parsed.data };
  for (const { path, message } of parsed.error?.issues ?? []) {
    const setting = path.join('.');
    problems.push(given[setting] === undefined ? `${setting}: is not set` : `${setting}: ${message}`);
  }
  return { problems };
}
