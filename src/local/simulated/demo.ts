/**
 * The demo set: which accounts exist in the simulated Azure at the first start, who has which role there, and
 * the policy that fits them.
 */

import { brokerRoles } from './broker-roles.ts';
import {
  brokerApp,
  brokerUri,
  callers,
  directory,
  goodCaller,
  otherTenantId,
  readerIdentity,
  researchers,
  resourceGroup,
  rotatorIdentity,
  systemIdentity,
  tenantId,
  users,
} from './demo-directory.ts';
import type { RoleAssignment } from './roles.ts';
import type { TransmitterDescription, World, WorldAccount } from './world.ts';

/** An account as the policy names it; its addresses come with its listeners. */
export interface DemoResource extends WorldAccount {
  /** Members of the policy's entry that only some have. */
  readonly policy: object;
}
const resource = (
  name: string,
  kind: string,
  tokenKinds: DemoResource['tokenKinds'],
  policy: object = {},
  rest: Partial<DemoResource> = {},
): DemoResource => ({
  name,
  kind,
  accountId: `${resourceGroup}/providers/Microsoft.CognitiveServices/accounts/ai-${name}`,
  region: 'westeurope',
  tokenKinds,
  policy,
  ...rest,
});
const rotated = (name: string) => ({ secret: `${name}-key` });
const byReader = {
  identity: { kind: 'userAssigned', clientId: readerIdentity.clientId },
  maxLifetime: '24h',
};

export const resources: readonly DemoResource[] = [
  resource('speech', 'SpeechServices', ['sts', 'entra'], {}, rotated('speech')),
  resource('translator', 'TextTranslation', ['sts'], {}, rotated('translator')),
  resource('chat', 'OpenAI', ['entra', 'obo'], {}, rotated('chat')),
  resource('vision', 'ComputerVision', ['entra'], {
    identity: { kind: 'systemAssigned' },
    maxLifetime: '24h',
  }),
  resource('language', 'TextAnalytics', ['entra'], byReader),
  resource('documents', 'FormRecognizer', ['entra'], byReader),
];

/** May use the account, and read none of its keys. */
export const dataUserOf = (principalId: string, scope: string): RoleAssignment => ({
  principalId,
  role: 'AI data user without keys',
  scope,
});

const at = (name: string) => `${resourceGroup}/providers/Microsoft.CognitiveServices/accounts/ai-${name}`;
const dataUser = (principalId: string, name: string) => dataUserOf(principalId, at(name));

export const roleAssignments: readonly RoleAssignment[] = [
  ...brokerRoles,
  { principalId: rotatorIdentity.principalId, role: 'AI token broker rotator', scope: resourceGroup },
  dataUser(brokerApp.objectId, 'speech'),
  dataUser(brokerApp.objectId, 'chat'),
  ...users.map(({ objectId }) => dataUser(objectId, 'chat')),
  dataUser(systemIdentity.principalId, 'vision'),
  dataUser(readerIdentity.principalId, 'language'),
  dataUser(readerIdentity.principalId, 'documents'),
];

/** Far above what one machine can ask, so that no load test meets it by accident. */
const rate = { count: 600_000, per: '1m' };

function demoTransmitter(authority: string): TransmitterDescription {
  return { name: 'idp', issuer: `${authority}/signals`, audience: `${brokerUri}/signals` };
}

/** The policy of the demo set, as `policy.json` holds one, for accounts made at a time, and an Entra at these addresses. */
export function demoPolicy(
  addresses: ReadonlyMap<string, { endpoint: string; regionalEndpoint: string }>,
  authority: string,
  madeAtMs: number,
) {
  const byRole = (name: string) => {
    const found = callers.find((caller) => caller.name === name);
    return [{ tenant: 'home', clientId: found?.clientId, appRole: 'Token.Exchange' }];
  };
  return {
    tenants: [{ name: 'home', id: tenantId }],
    resources: resources.map(({ name, accountId, kind, region, tokenKinds, secret, policy }) => ({
      name,
      accountId,
      kind,
      region,
      ...addresses.get(name),
      tokenKinds,
      ...(secret === undefined
        ? {}
        : { secret, rotation: { period: '1h', keysSince: new Date(madeAtMs).toISOString() } }),
      ...policy,
    })),
    grants: [
      {
        name: 'captions',
        callers: byRole('captions'),
        resources: ['speech'],
        tokenKinds: ['sts'],
        maxLifetime: '10m',
        rate,
      },
      {
        name: 'translations',
        callers: byRole('translations'),
        resources: ['translator'],
        tokenKinds: ['sts'],
        maxLifetime: '10m',
        rate,
      },
      {
        name: 'reading',
        callers: byRole('translations'),
        resources: ['vision', 'language', 'documents'],
        tokenKinds: ['entra'],
        maxLifetime: '24h',
        rate,
      },
      {
        name: 'nightly',
        callers: byRole('nightly'),
        resources: ['speech', 'chat'],
        tokenKinds: ['entra'],
        maxLifetime: '2h',
        rate,
      },
      {
        name: 'researchers',
        callers: [{ tenant: 'home', scope: 'Token.Exchange', group: researchers }],
        resources: ['chat'],
        // Not `entra` beside it: that would pass by what Conditional Access says of the user.
        tokenKinds: ['obo'],
        maxLifetime: '2h',
        rate,
      },
    ],
    transmitters: [
      {
        ...demoTransmitter(authority),
        jwksUri: `${authority}/common/discovery/v2.0/keys`,
        tenants: ['home'],
      },
    ],
  };
}

export const demoWorld: World = {
  accounts: resources.map(({ policy: _, ...account }) => account),
  directory,
  otherTenantId,
  callers,
  goodCaller,
  roleAssignments,
  transmitters: (authority) => [demoTransmitter(authority)],
  policy: (accounts, authority, nowMs) =>
    demoPolicy(
      new Map(accounts.map(({ name, endpoint, regionalEndpoint }) => [name, { endpoint, regionalEndpoint }])),
      authority,
      nowMs,
    ),
};
