/** The simulated Azure refuses the two identities what the deployed one would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roleAssignments } from '../../../src/local/simulated/demo.ts';
import { rotatorIdentity } from '../../../src/local/simulated/demo-directory.ts';
import { roles } from '../../../src/local/simulated/roles.ts';
import { rolesOf } from '../../infra/roles-of.ts';

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
