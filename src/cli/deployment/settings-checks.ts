/** The settings of both apps: missing, unknown, of a wrong form. Only names are ever said, because some values are secrets. */
import { type AppName, otherThan, readSettings, SETTINGS } from '../../settings.ts';
import { type Check, type Finding, judged } from './check.ts';
import type { App, Evidence } from './evidence.ts';

/** What the Functions host itself needs, beside the settings of the broker. */
const HOST = [
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
] as const;
const OF_ROTATOR = ['BROKER_QUEUES__queueServiceUri', 'BROKER_QUEUES__credential', 'BROKER_QUEUES__clientId'];
/** Connection strings: whoever reads one has a key. */
const WITH_KEYS = ['AzureWebJobsStorage', 'AzureWebJobsDashboard', 'DEPLOYMENT_STORAGE_CONNECTION_STRING'];
const REDEPLOY = 'azd provision sets all of them again, from infra/ and environments.json.';

export function settingsChecks({ apps, settings }: Evidence): readonly Check[] {
  return (['issuer', 'rotator'] as const).flatMap((app) => {
    const own = apps[app];
    return judged(
      `settings of ${app}`,
      settings[app],
      (given) => settingsFindings(app, given, 'seen' in own ? own.seen : undefined),
      'none is missing, unknown or of a wrong form',
    );
  });
}

export function settingsFindings(
  app: AppName,
  given: Readonly<Record<string, string>>,
  own: App | undefined,
): readonly Finding[] {
  const known = SETTINGS[app].shape;
  const connection = app === 'rotator' ? OF_ROTATOR : [];
  const other = otherThan(app);
  const read = readSettings<(typeof SETTINGS)[AppName]>(
    SETTINGS[app],
    { of: other, settings: SETTINGS[other] },
    given,
  );
  const wrong = [
    ...('problems' in read ? read.problems : []),
    ...[...HOST, ...connection].filter((name) => !given[name]?.trim()).map((name) => `${name}: is not set`),
    ...Object.keys(given)
      .filter((name) => name.startsWith('BROKER_') && !(name in known) && !connection.includes(name))
      .filter((name) => !(name in SETTINGS[other].shape))
      .map((name) => `${name}: no version of this app knows it`),
    ...identityProblems(app, given, own),
  ].map((says) => ({ says, todo: REDEPLOY }));
  const keys = WITH_KEYS.filter((name) => given[name]?.trim()).map((name) => ({
    says: `${name}: is a connection string, and so a key`,
    todo: 'Remove it (az functionapp config appsettings delete): the identity is used. Then regenerate that key.',
  }));
  return [...wrong, ...keys];
}

function identityProblems(
  app: AppName,
  given: Readonly<Record<string, string>>,
  own: App | undefined,
): readonly string[] {
  const name = app === 'issuer' ? 'BROKER_ISSUER_IDENTITY' : 'BROKER_ROTATOR_IDENTITY';
  const set = given[name];
  if (own === undefined || set === undefined || set.toLowerCase() === own.clientId.toLowerCase()) return [];
  return [`${name}: is not the client id of the identity that the app has`];
}
