/** The apps, the vault and the storage accounts: keys off, encrypted, and no more open than the apps' network. */
import type { AppName } from '../../settings.ts';
import { type Check, checksOf, type Finding, judged, skip } from './check.ts';
import type { App, Evidence, StorageAccount, Vault } from './evidence.ts';

const PROVISION = 'azd provision sets it again (infra/).';

export function resourceChecks({ apps, vaults, storage }: Evidence): readonly Check[] {
  const both = Object.values(apps).flatMap((app) => ('seen' in app ? [app.seen] : []));
  // A deployment with `privateNetwork` has both apps in a network, and nothing else may reach what they use.
  const isPrivate = both.some(({ inNetwork }) => inNetwork);
  const network = isPrivate
    ? 'reached from the private network only'
    : 'reached from public networks, as this environment says';
  return [
    ...(['issuer', 'rotator'] as const).flatMap((app) =>
      judged(app, apps[app], (found) => appFindings(app, found), 'runs, over https only'),
    ),
    ...judged(
      'vault',
      vaults,
      (all) =>
        all.length === 1 ? all.flatMap((vault) => vaultFindings(vault, isPrivate)) : [noVault(all.length)],
      `by roles, protected from purging, ${network}`,
    ),
    ...('seen' in storage
      ? checksOf(
          'storage',
          storage.seen.flatMap((account) => storageFindings(account, isPrivate)),
          `${storage.seen.length} accounts: no keys, https only, ${network}`,
        )
      : [skip('storage', storage.unseen)]),
  ];
}

const noVault = (found: number): Finding => ({
  says: `${found} vaults are in the resource group, and the broker has one`,
  todo: found === 0 ? 'azd provision takes a deleted one back.' : 'Move the others to a group of their own.',
});

function appFindings(app: AppName, { name, state, httpsOnly, otherIdentities }: App): readonly Finding[] {
  return [
    ...(state === undefined || state === 'Running'
      ? []
      : [{ says: `${name} is ${state}`, todo: `az functionapp start --name ${name}` }]),
    ...(httpsOnly ? [] : [{ says: `${name} answers over http too`, todo: PROVISION }]),
    ...(app === 'rotator' && otherIdentities.length > 0
      ? [
          {
            says: `${name} carries an identity that is not the rotator's: ${otherIdentities.map(lastOf).join(', ')}`,
            todo: 'az functionapp identity remove: the app that changes keys is one identity alone.',
          },
        ]
      : []),
  ];
}
const lastOf = (id: string): string => id.split('/').at(-1) ?? id;

function vaultFindings({ name, properties }: Vault, isPrivate: boolean): readonly Finding[] {
  const { enableRbacAuthorization, enablePurgeProtection, publicNetworkAccess } = properties;
  return [
    ...(enableRbacAuthorization === true
      ? []
      : [{ says: `${name} gives access by access policies and not by roles`, todo: PROVISION }]),
    ...(enablePurgeProtection === true
      ? []
      : [
          {
            says: `${name} can be purged, and every key with it`,
            todo: `az keyvault update --name ${name} --enable-purge-protection`,
          },
        ]),
    ...(isPrivate && publicNetworkAccess?.toLowerCase() !== 'disabled'
      ? [
          {
            says: `${name} can be reached from public networks, and the apps are in a private one`,
            todo: PROVISION,
          },
        ]
      : []),
  ];
}

function storageFindings({ name, properties }: StorageAccount, isPrivate: boolean): readonly Finding[] {
  const {
    allowSharedKeyAccess,
    supportsHttpsTrafficOnly,
    allowBlobPublicAccess,
    networkAcls,
    publicNetworkAccess,
  } = properties;
  const isOpen =
    publicNetworkAccess?.toLowerCase() !== 'disabled' && networkAcls?.defaultAction?.toLowerCase() !== 'deny';
  const wrong = [
    ...(allowSharedKeyAccess === false ? [] : [`${name} can be used with its keys`]),
    ...(supportsHttpsTrafficOnly === false ? [`${name} answers over http too`] : []),
    ...(allowBlobPublicAccess === false ? [] : [`${name} lets a container be made public`]),
    ...(isPrivate && isOpen
      ? [`${name} can be reached from public networks, and the apps are in a private one`]
      : []),
  ];
  return wrong.map((says) => ({ says, todo: PROVISION }));
}
