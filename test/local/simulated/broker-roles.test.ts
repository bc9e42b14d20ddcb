/** The simulated Azure refuses the two identities what the deployed one would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held } from '../../../src/local/simulated/broker-roles.ts';
import { roleAssignments } from '../../../src/local/simulated/demo.ts';
import { rotatorIdentity } from '../../../src/local/simulated/demo-directory.ts';
import { roles } from '../../../src/local/simulated/roles.ts';
import { rolesOf } from '../../infra/roles-of.ts';

const line = (
  identity: string,
  scope: string,
  actions: readonly string[],
  dataActions: readonly string[],
) => ({
  identity,
  scope,
  may: [...actions, ...dataActions].toSorted(),
});
const inOrder = (lines: readonly ReturnType<typeof line>[]) =>
  lines.toSorted((a, b) => `${a.identity} ${a.scope}`.localeCompare(`${b.identity} ${b.scope}`));

test('each identity holds at each table, queue and vault what infra/roles.bicep gives it, and no more', () => {
  const simulated = held.map(([identity, scope, role]) => {
    const { actions, dataActions } = roles[role];
    const provider = scope === 'vault' ? 'Microsoft.KeyVault/' : 'Microsoft.Storage/';
    const fits = (action: string) => action.startsWith(provider);
    return line(identity, scope, actions.filter(fits), dataActions.filter(fits));
  });
  // The blobs of the hosts and the telemetry are not simulated; the accounts are below.
  const deployed = rolesOf()
    .filter(({ scope }) => scope === 'vault' || /^(table|queue|container):/.test(scope))
    .map(({ identity, scope, actions, dataActions }) =>
      // No service is asked for a list of tables or containers here, which a built-in reader may have.
      line(
        identity,
        scope,
        actions.filter((action) => !/(tables|containers)\/read$|generateUserDelegationKey/.test(action)),
        dataActions,
      ),
    );
  assert.deepEqual(inOrder(simulated), inOrder(deployed));
});

test('on the AI accounts only the rotator has a role that touches keys', () => {
  const withKeys = roleAssignments.filter(
    ({ role, scope }) =>
      !scope.includes('Microsoft.KeyVault') &&
      roles[role].actions.some((action) => /listKeys|regenerateKey/i.test(action)),
  );
  assert.deepEqual(
    withKeys.map(({ principalId, role }) => [principalId, role]),
    [[rotatorIdentity.principalId, 'AI token broker rotator']],
  );
  assert.deepEqual(
    rolesOf()
      .filter(({ scope }) => scope === 'account')
      .map(({ identity, role }) => `${identity} ${role}`),
    ['rotator rotator'],
  );
});
