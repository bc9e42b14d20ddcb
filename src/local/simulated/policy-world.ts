/** Turns a policy of one's own into the simulated Azure that it needs: `npm start -- --policy FILE`. Pure. */
import { loadPolicy } from '../../policy/load.ts';
import type { Policy, Resource } from '../../policy/schema.ts';
import { ACTS_AS, type TokenKind } from '../../token-kind.ts';
import { type DescribedCaller, describeCaller } from '../may.ts';
import { brokerRoles } from './broker-roles.ts';
import { dataUserOf } from './demo.ts';
import * as demo from './demo-directory.ts';
import type { ManagedIdentity } from './directory.ts';
import { localPolicy } from './local-policy.ts';
import { callersOf, madeUpId } from './policy-callers.ts';
import type { RoleAssignment } from './roles.ts';
import type { World } from './world.ts';

/** Each account listens at two ports of its own. */
export const MAX_ACCOUNTS = 200;

/**
 * Every account, tenant and group that the policy names, a caller for every rule of its grants, and who operates the
 * broker. The tenant named `home`, else the first, is the broker's own.
 * @param text of the policy file
 * @throws PolicyError with every problem of the policy
 */
export function worldOfPolicy(text: string): World {
  const policy = loadPolicy(text);
  const tenantIds = policy.tenants.map(({ id }) => id);
  const homeTenantId = policy.tenants.find(({ name }) => name === 'home')?.id ?? tenantIds[0] ?? '';
  const otherTenantId = tenantIds.includes(demo.otherTenantId)
    ? madeUpId('tenant of the outsider')
    : demo.otherTenantId;
  const staff = [demo.operator, demo.auditor, demo.publisher].map(({ kind, app }) => ({
    kind,
    app: { ...app, tenantId: homeTenantId },
  }));
  const outsider = { ...demo.outsider, app: { ...demo.outsider.app, tenantId: otherTenantId } };
  const others = [...staff, outsider];
  const { applications, users, callers } = callersOf(
    policy,
    others.map(({ app }) => app.name),
  );
  const identities = identitiesOf(policy);
  const described = callers.map((caller) => describeCaller(caller, policy));
  return {
    accounts: policy.resources.map(({ name, kind, accountId, region, tokenKinds, secret }) => ({
      name,
      kind,
      accountId,
      region,
      tokenKinds,
      ...(secret === undefined ? {} : { secret }),
    })),
    directory: {
      homeTenantId,
      tenantIds: [...tenantIds, otherTenantId],
      applications: [
        { ...demo.brokerApp, tenantId: homeTenantId },
        { ...demo.consoleApp, tenantId: homeTenantId },
        ...applications,
        ...others.map(({ app }) => app),
      ],
      apis: demo.apis,
      identities,
      users: [...users, ...demo.people.map((person) => ({ ...person, tenantId: homeTenantId }))],
    },
    otherTenantId,
    callers: [...callers, ...others.map(demo.applicationCaller)],
    goodCaller:
      [...applications, ...others.map(({ app }) => app)].find(({ secret }) => secret) ?? demo.operator.app,
    roleAssignments: [
      ...brokerRoles,
      ...policy.resources.flatMap((resource) => [
        ...rotatorRole(resource),
        ...usersOf(resource, identities, described).map((id) => dataUserOf(id, resource.accountId)),
      ]),
    ],
    transmitters: () => policy.transmitters.map(({ name, issuer, audience }) => ({ name, issuer, audience })),
    policy: (accounts, authority) => localPolicy(text, accounts, authority),
  };
}

/** The broker's own, and each that a resource names. */
function identitiesOf({ resources }: Policy): readonly ManagedIdentity[] {
  const own = [demo.systemIdentity, demo.issuerIdentity, demo.rotatorIdentity];
  const named = resources.flatMap(({ identity }) =>
    identity.kind === 'userAssigned' ? [identity.clientId] : [],
  );
  const added = [...new Set(named)].filter((id) => !own.some(({ clientId }) => clientId === id));
  return [
    ...own,
    ...added.map((clientId) => ({
      ...demo.readerIdentity,
      name: clientId,
      clientId,
      principalId: madeUpId(`principal ${clientId}`),
      resourceId: `${demo.readerIdentity.resourceId}-${clientId}`,
    })),
  ];
}

function rotatorRole({ accountId, secret, rotation }: Resource): RoleAssignment[] {
  if (secret === undefined || rotation === undefined) return [];
  const { principalId } = demo.rotatorIdentity;
  return [{ principalId, role: 'AI token broker rotator', scope: accountId }];
}

/** The object ids of whoever calls the account with an Entra token, as `npm run check` wants a role for them. */
function usersOf(
  resource: Resource,
  identities: readonly ManagedIdentity[],
  callers: readonly DescribedCaller[],
): readonly string[] {
  const users: Readonly<Record<(typeof ACTS_AS)[TokenKind], () => readonly string[]>> = {
    accountKey: () => [],
    identity: () => [principalOf(resource, identities)],
    caller: () =>
      callers
        .filter(({ may }) =>
          may.some(
            ({ resource: name, tokenKinds }) =>
              name === resource.name && tokenKinds.some((kind) => ACTS_AS[kind] === 'caller'),
          ),
        )
        .map(({ objectId }) => objectId),
  };
  return resource.tokenKinds.flatMap((kind) => users[ACTS_AS[kind]]());
}

function principalOf({ identity }: Resource, identities: readonly ManagedIdentity[]): string {
  switch (identity.kind) {
    case 'application':
      return demo.brokerApp.objectId;
    case 'systemAssigned':
      return demo.systemIdentity.principalId;
    case 'userAssigned':
      return identities.find(({ clientId }) => clientId === identity.clientId)?.principalId ?? '';
  }
}
