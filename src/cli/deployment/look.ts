/** Looks at everything of a deployment that the reader may see. It asks only, and changes nothing. */
import type { AppName } from '../../settings.ts';
import type { Api } from '../api.ts';
import type { AzureReader } from './azure-reader.ts';
import { type Looked, seenOr } from './check.ts';
import type { Cloud, Place } from './cloud.ts';
import type { App, Evidence, PerApp } from './evidence.ts';
import { findApp, ofType, type Resource, WEB } from './find-apps.ts';
import { lookAtBroker } from './look-at-broker.ts';
import { lookAtTopics } from './look-at-events.ts';
import { lookAtRegistration } from './look-at-registration.ts';
import { roleReader } from './look-at-roles.ts';
import {
  alertRule,
  appSettings,
  resource,
  siteDeployment,
  siteFunction,
  storageAccount,
  vault,
} from './shapes.ts';

export interface Asked {
  readonly arm: AzureReader;
  readonly graph: AzureReader;
  readonly place: Place;
  readonly cloud: Cloud;
  /** Undefined where the broker cannot be asked; `noApi` says why. */
  readonly api: Api | undefined;
  readonly noApi: string;
  readonly policyFile: string | undefined;
  readonly nowMs: number;
}

/** @returns `unseen` where not even the resource group can be listed */
export async function lookAtDeployment(asked: Asked): Promise<Looked<Evidence>> {
  const { arm, place, nowMs } = asked;
  const group = `/subscriptions/${place.subscription}/resourceGroups/${place.group}`;
  const listed = await arm.list('the resource group', `${group}/resources?api-version=2021-04-01`, resource);
  if ('unseen' in listed) return listed;
  const resources = listed.seen;
  const apps = await perApp((app) => findApp(arm, resources, app));
  const broker = await lookAtBroker(asked.api, asked.noApi, asked.policyFile, nowMs);
  const settings = await perApp((app) =>
    ofApp(apps[app], async ({ id, name }) => {
      const path = `${id}/config/appsettings/list?${WEB}`;
      const found = await arm.post(`the settings of ${name}`, path, appSettings);
      return 'unseen' in found ? found : { seen: found.seen.properties };
    }),
  );
  const ofSite = <Item>(
    app: AppName,
    ask: (found: App) => Promise<Looked<readonly { properties: Item }[]>>,
  ) =>
    ofApp(apps[app], async (found) => {
      const looked = await ask(found);
      return 'unseen' in looked ? looked : { seen: looked.seen.map(({ properties }) => properties) };
    });
  const accounts = seenOr(broker.rotated, []).map((id) => id.split('/')[2] ?? '');
  const subscriptions = [...new Set([place.subscription, ...accounts].map((id) => id.toLowerCase()))];
  const rolesOf = roleReader(arm);
  return {
    seen: {
      ...broker,
      prefix: prefixOf(resources, place),
      authority: asked.cloud.authority,
      apps,
      settings,
      functions: await perApp((app) =>
        ofSite(app, ({ id, name }) =>
          arm.list(`the functions of ${name}`, `${id}/functions?${WEB}`, siteFunction),
        ),
      ),
      deployments: await perApp((app) =>
        ofSite(app, ({ id, name }) =>
          arm.list(`the deployments of ${name}`, `${id}/deployments?${WEB}`, siteDeployment),
        ),
      ),
      assignments: await perApp((app) => rolesOf(apps[app], subscriptions)),
      vaults: await each(ofType(resources, 'Microsoft.KeyVault/vaults'), ({ id, name }) =>
        arm.get(`the vault ${name}`, `${id}?api-version=2024-11-01`, vault),
      ),
      storage: await each(ofType(resources, 'Microsoft.Storage/storageAccounts'), ({ id, name }) =>
        arm.get(`the storage account ${name}`, `${id}?api-version=2024-01-01`, storageAccount),
      ),
      components: ofType(resources, 'Microsoft.Insights/components').map(({ id }) => id),
      topics: await lookAtTopics(arm, resources, nowMs),
      logAlerts: await arm.list(
        'the log alerts',
        `${group}/providers/Microsoft.Insights/scheduledQueryRules?api-version=2023-12-01`,
        alertRule,
      ),
      metricAlerts: await arm.list(
        'the metric alerts',
        `${group}/providers/Microsoft.Insights/metricAlerts?api-version=2018-03-01`,
        alertRule,
      ),
      registration: await lookAtRegistration(
        asked.graph,
        seenOr(settings.issuer, undefined)?.['BROKER_CLIENT_ID'],
      ),
    },
  };
}

/** The names of an environment begin with it (infra/main.bicep). */
function prefixOf(resources: readonly Resource[], { group }: Place): string {
  const named = resources.map(({ tags }) => tags?.['azd-env-name']).find((name) => name !== undefined);
  return named === undefined ? group.replace(/^rg-/, '') : `broker-${named}`;
}

async function perApp<What>(look: (app: AppName) => Promise<What>): Promise<PerApp<What>> {
  const [issuer, rotator] = await Promise.all([look('issuer'), look('rotator')]);
  return { issuer, rotator };
}

async function ofApp<Found>(
  app: Looked<App>,
  ask: (app: App) => Promise<Looked<Found>>,
): Promise<Looked<Found>> {
  return 'unseen' in app ? app : ask(app.seen);
}

/** All of them, or why one could not be seen. */
async function each<Found>(
  resources: readonly Resource[],
  ask: (resource: Resource) => Promise<Looked<Found>>,
): Promise<Looked<readonly Found[]>> {
  const found: Found[] = [];
  for (const one of resources) {
    const looked = await ask(one);
    if ('unseen' in looked) return looked;
    found.push(looked.seen);
  }
  return { seen: found };
}
