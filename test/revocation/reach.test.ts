/** Until when a token may live that somebody in a scope was just given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPolicy } from '../../src/policy/load.ts';
import { longestTokenMs } from '../../src/revocation/reach.ts';
import { CAPTIONS, HOME, samplePolicy } from '../policy/sample.ts';

const BLUEPRINT = '00000000-0000-4000-8000-0000000000d1';
const OTHER = '00000000-0000-4000-8000-0000000000d2';
const reach = (rule: object, clientId: string): number => {
  const source = samplePolicy();
  const [grant = {}] = source.grants;
  source.grants = [{ ...grant, callers: [{ tenant: 'home', ...rule }] }];
  return longestTokenMs(loadPolicy(JSON.stringify(source)), { kind: 'client', tenantId: HOME, clientId });
};

test("a client's reach has the grants of its agents, if it is a blueprint", () => {
  assert.equal(reach({ blueprint: BLUEPRINT }, BLUEPRINT), 600_000);
  assert.equal(reach({ blueprint: BLUEPRINT }, OTHER), 600_000, 'the other may be one of its agents');
  assert.equal(reach({ clientId: CAPTIONS }, CAPTIONS), 600_000);
  assert.equal(reach({ clientId: CAPTIONS }, BLUEPRINT), 600_000, 'the client of the rule may be its agent');
  assert.equal(reach({ blueprint: BLUEPRINT, clientId: CAPTIONS }, OTHER), 0, 'neither can be');
});
