/** Entra agent identities as callers: what their claims say, what contradicts itself, and what the audit keeps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentClaims, agentOf } from '../../src/exchange/agent.ts';
import { recordedCaller, recordedClaims } from '../../src/exchange/claims.ts';
import { createVerifyCaller } from '../../src/exchange/verify.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import type { Agent } from '../../src/ports.ts';
import { HOME, samplePolicy } from '../policy/sample.ts';
import { aCaller, NOW_MS } from './caller.ts';
import {
  applicationClaims,
  BROKER,
  goodHeader,
  publishedKeys,
  signed,
  userClaims,
  v1Claims,
} from './entra-token.ts';

const BLUEPRINT = '00000000-0000-4000-8000-0000000000d1';
const verify = createVerifyCaller({
  keys: publishedKeys(),
  clock: () => NOW_MS,
  clientId: BROKER,
  audienceUris: ['api://broker'],
  homeTenantId: HOME,
  acceptV1: true,
  isAllowedTenant: (tenantId) => tenantId === HOME,
});
/** As in the public capture of an autonomous agent. */
const marks = {
  xms_act_fct: '3 9 11',
  xms_sub_fct: '9 3 11',
  xms_tnt_fct: '3 9',
  xms_par_app_azp: BLUEPRINT,
};
const person = { ...marks, xms_sub_fct: '9 3', idtyp: 'user' };
const { scp: _, ...v1Only } = v1Claims;
const agent = (actsFor: Agent['actsFor']): Agent => ({ blueprintId: BLUEPRINT, actsFor });

for (const [what, claims, expected] of [
  ['an autonomous agent', { ...applicationClaims, ...marks }, agent('itself')],
  [
    'an autonomous agent by a v1 token',
    { ...v1Only, idtyp: 'app', roles: ['Token.Exchange'], ...marks },
    agent('itself'),
  ],
  [
    'an autonomous agent without facets',
    { ...applicationClaims, xms_par_app_azp: BLUEPRINT },
    agent('itself'),
  ],
  ['an agent for a person', { ...userClaims, ...person }, agent('person')],
  [
    "an agent's own user account",
    { ...userClaims, ...marks, idtyp: 'user', xms_sub_fct: '13 3' },
    agent('own_account'),
  ],
  [
    'an agent of which Entra does not say for whom',
    { ...userClaims, ...person, xms_sub_fct: undefined },
    agent('unstated'),
  ],
  ['an application', applicationClaims, undefined],
  ['an application with facets of others', { ...applicationClaims, xms_act_fct: '3 9' }, undefined],
  ['a number that only contains the digits', { ...applicationClaims, xms_act_fct: '111 211' }, undefined],
] as const)
  test(`${what} is known by its claims`, async () => {
    const caller = await verify(signed(goodHeader, claims));
    assert.ok('objectId' in caller, JSON.stringify(caller));
    assert.deepEqual(caller.agent, expected);
    assert.equal(caller.clientId, '00000000-0000-4000-8000-00000000000c', "the client is the agent's own");
  });

for (const [what, claims] of [
  ['an application whose subject is a user account', { ...applicationClaims, ...marks, xms_sub_fct: '13' }],
  ['an application whose subject is no agent', { ...applicationClaims, ...marks, xms_sub_fct: '3 9' }],
  ['a user who is an agent identity', { ...userClaims, ...marks, idtyp: 'user' }],
  ['a blueprint beside an actor that is no agent', { ...applicationClaims, ...marks, xms_act_fct: '3 9' }],
  ['an agent without a blueprint', { ...applicationClaims, ...marks, xms_par_app_azp: undefined }],
  ['a user account of an agent without a blueprint', { ...userClaims, idtyp: 'user', xms_sub_fct: '13' }],
  ['both facets of a subject', { ...userClaims, ...person, xms_sub_fct: '11 13' }],
  ['a blueprint that is no id', { ...applicationClaims, ...marks, xms_par_app_azp: 'blueprint' }],
  ['facets that are no text', { ...applicationClaims, ...marks, xms_act_fct: 11 }],
] as const)
  test(`${what} is refused`, async () => {
    const answer = await verify(signed(goodHeader, claims));
    assert.ok(!('objectId' in answer) && answer.kind === 'caller_unverified');
    assert.equal(answer.fault, 'claims');
  });

test('an agent never counts as a person by anything but the facets, and has a blueprint always', () => {
  const facets = [undefined, [], ['11'], ['13'], ['3'], ['11', '13']];
  const all = (['user', 'application'] as const).flatMap((kind) =>
    facets.flatMap((actorFacets) =>
      facets.flatMap((subjectFacets) =>
        [undefined, BLUEPRINT].map(
          (blueprintId): AgentClaims => ({
            kind,
            blueprintId,
            actorFacets,
            subjectFacets,
          }),
        ),
      ),
    ),
  );
  for (const claims of all) {
    const found = agentOf(claims);
    const isMarked = [claims.actorFacets, claims.subjectFacets].some(
      (some) => some?.includes('11') || some?.includes('13'),
    );
    if (found === undefined)
      assert.ok(claims.blueprintId === undefined && !claims.subjectFacets?.includes('13'));
    if (claims.blueprintId === undefined && claims.subjectFacets !== undefined && isMarked)
      assert.ok(found === 'claims' || claims.actorFacets?.includes('13'), JSON.stringify(claims));
    if (typeof found !== 'object') continue;
    assert.equal(found.blueprintId, BLUEPRINT);
    if (found.actsFor === 'person')
      assert.ok(claims.kind === 'user' && claims.subjectFacets && !claims.subjectFacets.includes('13'));
  }
});

test('the audit keeps that an agent asked, of which blueprint and for whom, and decides by it again', () => {
  const policy = compilePolicy(
    loadPolicy(
      JSON.stringify({
        ...samplePolicy(),
        grants: [
          {
            name: 'agents',
            callers: [{ tenant: 'home', blueprint: BLUEPRINT }],
            resources: ['speech'],
            tokenKinds: ['sts'],
            maxLifetime: '10m',
            rate: { count: 60, per: '1m' },
          },
        ],
      }),
    ),
  );
  const caller = aCaller({ agent: agent('itself') });
  const claims = recordedClaims(policy, caller);
  assert.deepEqual(claims.agent, agent('itself'));
  const { tenantId, clientId, objectId } = caller;
  const record = { at: '', correlationId: '', outcome: 'granted', instance: '' } as const;
  const again = recordedCaller(policy, { ...record, tenantId, clientId, objectId, claims });
  const speech = policy.target('speech')?.resource;
  assert.ok(again && speech);
  const grants = (one: typeof caller) =>
    policy.options(one, speech, undefined).map(({ grant }) => grant.name);
  assert.deepEqual(grants(again), ['agents']);
  assert.deepEqual(grants(aCaller()), [], 'nobody else has it');
  assert.deepEqual(grants(aCaller({ clientId: BLUEPRINT })), [], 'nor the blueprint itself');
});
