import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOME, USER } from '../revocation/fakes.ts';
import { receiver, token } from './signals.ts';

const revoked = [`user:${HOME}:${USER}`];
const event = (name: string, payload: unknown = {}) =>
  token({ events: { [`https://schemas.openid.net/secevent/risc/event-type/${name}`]: payload } });

/** Section of RISC 1.0, name, payload, whether older tokens are refused from then on. */
const EVENTS: [string, string, Record<string, unknown>, boolean][] = [
  ['2.1', 'account-credential-change-required', {}, true],
  ['2.2', 'account-purged', {}, true],
  ['2.3', 'account-disabled', { reason: 'hijacking' }, true],
  ['2.4', 'account-enabled', {}, false],
  ['2.5', 'identifier-changed', { 'new-value': 'new@example.test' }, false],
  ['2.6', 'identifier-recycled', {}, true],
  ['2.7', 'credential-compromise', { credential_type: 'password' }, true],
  ['2.8.1', 'opt-in', {}, false],
  ['2.8.2', 'opt-out-initiated', {}, false],
  ['2.8.3', 'opt-out-cancelled', {}, false],
  ['2.8.4', 'opt-out-effective', {}, false],
  ['2.9', 'recovery-activated', {}, false],
  ['2.10', 'recovery-information-changed', {}, false],
  ['2.11', 'sessions-revoked', {}, true],
];

for (const [section, name, payload, revokes] of EVENTS)
  test(`section ${section}: ${name} ${revokes ? 'refuses older tokens' : 'is acknowledged'}`, async () => {
    await using set = await receiver();
    assert.deepEqual(await set.accepts(event(name, payload)), revokes ? revoked : []);
  });

test('section 2.7: credential-compromise names the kind of credential', async () => {
  await using set = await receiver();
  assert.equal(await set.refuses(event('credential-compromise')), 'invalid_request');
});

test('section 2.4: enabling an account takes no cut-off back', async () => {
  await using set = await receiver();
  await set.accepts(event('account-disabled'));
  const before = set.world.entries.get(revoked[0] ?? '');
  await set.accepts(event('account-enabled'));
  assert.deepEqual(set.world.entries.get(revoked[0] ?? ''), before);
});
