import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import { HOME, USER } from '../revocation/fakes.ts';
import { receiver, token } from './signals.ts';

const revoked = [`user:${HOME}:${USER}`];
const event = (name: string, payload: unknown) =>
  token({ events: { [`https://schemas.openid.net/secevent/caep/event-type/${name}`]: payload } });

/** Section of CAEP 1.0, name, a payload with all that is required, what it does, a payload that lacks something. */
const EVENTS: [string, string, Record<string, unknown>, boolean, Record<string, unknown>?][] = [
  ['3.1', 'session-revoked', {}, true],
  ['3.2', 'token-claims-change', { claims: { trusted_network: 'false' } }, true, {}],
  [
    '3.3',
    'credential-change',
    { credential_type: 'password', change_type: 'delete' },
    true,
    { credential_type: 'password' },
  ],
  [
    '3.4',
    'assurance-level-change',
    { namespace: 'NIST-AAL', current_level: 'nist-aal1', change_direction: 'decrease' },
    true,
    { namespace: 'NIST-AAL' },
  ],
  [
    '3.5',
    'device-compliance-change',
    { previous_status: 'compliant', current_status: 'not-compliant' },
    true,
    { current_status: 'not-compliant' },
  ],
  ['3.6', 'session-established', {}, false],
  ['3.7', 'session-presented', {}, false],
  ['3.8', 'risk-level-change', { principal: 'USER', current_level: 'HIGH' }, true, { current_level: 'HIGH' }],
];

for (const [section, name, payload, revokes, lacking] of EVENTS) {
  test(`section ${section}: ${name} ${revokes ? 'refuses older tokens' : 'is acknowledged'}`, async () => {
    await using set = await receiver();
    assert.deepEqual(await set.accepts(event(name, payload)), revokes ? revoked : []);
  });
  if (lacking !== undefined)
    test(`section ${section}: ${name} without a required member is refused`, async () => {
      await using set = await receiver();
      assert.equal(await set.refuses(event(name, lacking)), 'invalid_request');
    });
}

test('section 2: event_timestamp is whole seconds, and when it happened', async () => {
  await using set = await receiver();
  assert.equal(
    await set.refuses(event('session-revoked', { event_timestamp: '1772619311' })),
    'invalid_request',
  );
  await set.accepts(event('session-revoked', { event_timestamp: 1772619311 }));
  assert.equal(
    set.world.entries.get(revoked[0] ?? '')?.cutOffSeconds,
    1772619311 + MAX_CLOCKS_DIFFER_SECONDS,
  );
});
