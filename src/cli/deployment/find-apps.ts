/** The two apps in the resource group, found by the tag that azd finds them by. */
import type * as z from 'zod';
import type { AppName } from '../../settings.ts';
import type { AzureReader } from './azure-reader.ts';
import type { Looked } from './check.ts';
import type { App, Site } from './evidence.ts';
import { type resource, site } from './shapes.ts';

export type Resource = z.infer<typeof resource>;
export const WEB = 'api-version=2025-03-01';

export const ofType = (resources: readonly Resource[], type: string): readonly Resource[] =>
  resources.filter((each) => each.type.toLowerCase() === type.toLowerCase());

export async function findApp(
  arm: AzureReader,
  resources: readonly Resource[],
  app: AppName,
): Promise<Looked<App>> {
  const found = ofType(resources, 'Microsoft.Web/sites').filter(
    ({ tags }) => tags?.['azd-service-name'] === app,
  );
  const [one] = found;
  if (one === undefined || found.length > 1)
    return { unseen: `${found.length} apps of the resource group have the tag azd-service-name=${app}` };
  const looked = await arm.get(`the app ${one.name}`, `${one.id}?${WEB}`, site);
  return 'unseen' in looked ? looked : appOf(looked.seen);
}

/** An app acts as the identity with which its package is read. */
export function appOf({ id, name, identity, properties }: Site): Looked<App> {
  const { value, authentication } = properties.functionAppConfig.deployment.storage;
  const own = authentication.userAssignedIdentityResourceId ?? '';
  const carried = Object.entries(identity?.userAssignedIdentities ?? {});
  const isOwn = ([of]: readonly [string, unknown]) => of.toLowerCase() === own.toLowerCase();
  const [, ids] = carried.find(isOwn) ?? [];
  if (ids === undefined)
    return { unseen: `the app ${name} does not carry the identity that reads its package` };
  return {
    seen: {
      id,
      name,
      state: properties.state,
      httpsOnly: properties.httpsOnly === true,
      inNetwork: Boolean(properties.virtualNetworkSubnetId),
      ...ids,
      otherIdentities: carried.filter((each) => !isOwn(each)).map(([of]) => of),
      hostStorage: URL.canParse(value) ? (new URL(value).hostname.split('.')[0] ?? '') : '',
    },
  };
}
