import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordedCaller, recordedClaims } from '../../src/exchange/claims.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { RESEARCHERS, samplePolicy } from '../policy/sample.ts';
import { aCaller } from './caller.ts';
import { ada } from './people.ts';

const policy = compilePolicy(loadPolicy(JSON.stringify(samplePolicy())));
const group = (n: number): string => `${n.toString(16).padStart(4, '0')}0000-0000-4000-8000-00000000000f`;
const NEW_GROUP = group(7);
const { token: _, expiresAtSeconds: __, subject: ___, ...known } = ada;

test('what the audit keeps of a caller decides as the caller itself, under the policy of then', () => {
  const record = { ...known, at: '', correlationId: '', outcome: 'refused', instance: '' } as const;
  const read = recordedCaller(policy, { ...record, claims: recordedClaims(policy, ada) });
  assert.ok(read);
  const { token: _, expiresAtSeconds: __, ...rest } = read;
  assert.deepEqual(rest, known);
  assert.equal(recordedCaller(policy, record), undefined, 'a record of a time without claims');
});

test('a group that only a later policy names is known by its beginning, up to 64 of them', () => {
  const caller = { ...ada, groups: [RESEARCHERS, ...Array.from({ length: 199 }, (_, n) => group(n + 1))] };
  const claims = recordedClaims(policy, caller);
  assert.deepEqual([claims.groups, claims.otherGroups?.length, claims.left], [[RESEARCHERS], 256, 135]);
  const later = { names: { ...policy.names, group: new Set([RESEARCHERS, NEW_GROUP]) } };
  const record = { ...known, at: '', correlationId: '', outcome: 'refused', instance: '', claims } as const;
  assert.deepEqual(recordedCaller(later, record)?.groups, [RESEARCHERS, NEW_GROUP]);
});

test('however many roles a token has, those that a rule names are kept, and nothing that looks like a secret', () => {
  const roles = ['a', 'b', 'c', 'd', 'x'.repeat(65), 'f'.repeat(32), 'Token.Exchange'];
  const claims = recordedClaims(policy, aCaller({ appRoles: roles }));
  assert.deepEqual([claims.appRoles, claims.left], [['Token.Exchange', 'a', 'b', 'c'], 3]);
  const bare = recordedClaims(policy, aCaller({ appRoles: roles.slice(4, 6) }));
  assert.deepEqual([bare.appRoles, bare.left], [undefined, 2]);
});
