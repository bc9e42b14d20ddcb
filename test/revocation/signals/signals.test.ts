import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { MAX_CLOCKS_DIFFER_SECONDS } from '../../../src/clocks.ts';
import type { SetError } from '../../../src/revocation/signals/set.ts';
import { UpstreamFailure } from '../../../src/upstream.ts';
import { CLIENT, createWorld, HOME, OTHER, START_MS, signSet, USER, type World } from '../fakes.ts';
import { sample } from '../samples.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});
const push = (token: string): Promise<'accepted' | SetError> => world.revocation.signal(token);
const keys = () => [...world.entries.keys()];
const PAIRWISE = 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ';
const EVENT_AT = 1772619311;
const ISSUED_AT = 1772619320;
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

let jti = 0;
/** A strict SET of one event about one subject. */
function set(
  subject: unknown,
  type = `${CAEP}session-revoked`,
  event: unknown = {},
  over: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
) {
  jti += 1;
  return {
    header: { typ: 'secevent+jwt', alg: 'RS256', kid: 'tx-2026-03', ...header },
    payload: {
      iss: 'https://idp.example.test/',
      jti: `jti-${jti}`,
      iat: ISSUED_AT,
      aud: 'https://broker.example.test/ssf',
      sub_id: subject,
      events: { [type]: event },
      ...over,
    },
  };
}
const lenient = (over: Record<string, unknown> = {}) => ({ iss: 'https://easy.example.test/', ...over });
const issSub = (sub: string, tenant = HOME) => ({
  format: 'iss_sub',
  iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
  sub,
});
const user = issSub(USER);

describe('model payloads of Shared Signals', () => {
  const accepted: [string, number][] = [
    ['33-set-caep-session-revoked-user', EVENT_AT],
    ['34-set-caep-session-revoked-complex', EVENT_AT],
    ['36-set-caep-credential-change', EVENT_AT],
    ['42-set-risc-account-disabled', ISSUED_AT],
    ['43-set-risc-account-purged', ISSUED_AT],
    ['44-set-risc-account-credential-change-required', ISSUED_AT],
  ];
  for (const [name, cutOff] of accepted)
    test(`${name}: cuts the one user off, as of when it happened`, async () => {
      assert.equal(await push(signSet(sample(name))), 'accepted');
      assert.deepEqual(keys(), [`subject:${HOME}:${PAIRWISE}`]);
      assert.equal(
        world.entries.get(`subject:${HOME}:${PAIRWISE}`)?.cutOffSeconds,
        cutOff + MAX_CLOCKS_DIFFER_SECONDS,
      );
      assert.equal(world.bumps, 1);
    });

  test('49-set-subject-aliases: every name of the one subject that we know', async () => {
    world.users.set('jo@example.test', { objectId: USER, enabled: true, sessionsValidFromMs: undefined });
    assert.equal(await push(signSet(sample('49-set-subject-aliases'))), 'accepted');
    assert.deepEqual(keys().sort(), [`subject:${HOME}:${PAIRWISE}`, `user:${HOME}:${USER}`]);
  });

  test('30-set-ssf-verification: accepted with the state asked for, or none; another is invalid_state', async () => {
    const verification = sample('30-set-ssf-verification');
    assert.equal(await push(signSet(verification)), 'accepted');
    const [type = ''] = Object.keys(verification.payload.events);
    verification.payload.jti = 'unsolicited';
    verification.payload.events[type] = {};
    assert.equal(await push(signSet(verification)), 'accepted');
    verification.payload.jti = 'other';
    verification.payload.events[type] = { state: 'another' };
    assert.equal(errorOf(await push(signSet(verification))), 'invalid_state');
    verification.payload.events[type] = {};
    verification.payload.sub_id.id = 'another stream';
    assert.equal(errorOf(await push(signSet(verification))), 'invalid_request');
    assert.deepEqual(keys(), []);
  });

  for (const [name, err] of [
    ['60-bad-set-has-exp', 'invalid_request'],
    ['62-bad-set-typ-jwt', 'invalid_request'],
    ['64-bad-set-no-sub-id', 'invalid_request'],
    ['65-bad-set-wrong-aud', 'invalid_audience'],
  ] as const)
    test(`${name}: ${err}, and nothing happens`, async () => {
      assert.equal(errorOf(await push(signSet(sample(name)))), err);
      assert.deepEqual(keys(), []);
      assert.equal(world.bumps, 0);
    });
});

describe('who may say what', () => {
  test('an issuer that is not configured is refused before any key is fetched', async () => {
    const answer = await push(signSet(set(user, undefined, {}, { iss: 'https://evil.example.test/' })));
    assert.equal(errorOf(answer), 'invalid_issuer');
    assert.deepEqual(world.asked, []);
  });

  test('a signature by another key is refused', async () => {
    assert.equal(errorOf(await push(signSet(set(user), 'stranger'))), 'authentication_failed');
  });

  for (const header of [{ kid: 'unknown' }, { alg: 'none' }, { alg: 'HS256' }, { kid: undefined }])
    test(`a header with ${JSON.stringify(header)} is refused`, async () => {
      assert.equal(errorOf(await push(signSet(set(user, undefined, {}, {}, header)))), 'invalid_key');
    });

  test('a user of a tenant that is not this transmitter’s is access_denied', async () => {
    assert.equal(errorOf(await push(signSet(set(issSub(USER, OTHER))))), 'access_denied');
    assert.equal(await push(signSet(set(issSub(USER, OTHER), undefined, {}, lenient()))), 'accepted');
    assert.deepEqual(keys(), [`user:${OTHER}:${USER}`]);
  });

  test('keys that cannot be had are an outage, never a refusal', async () => {
    world.down.add('transmitter');
    await assert.rejects(push(signSet(set(user))), UpstreamFailure);
  });

  test('an Entra access token is no signal', async () => {
    const token = set(
      undefined,
      undefined,
      {},
      { events: undefined, sub_id: undefined, exp: 4e9, sub: 'x' },
      { typ: 'JWT' },
    );
    assert.equal(errorOf(await push(signSet(token))), 'invalid_request');
    token.payload.iss = 'https://easy.example.test/';
    assert.equal(errorOf(await push(signSet(token))), 'invalid_request', 'in the lenient profile neither');
  });
});

describe('subjects', () => {
  const opaque = (id: string) => ({ format: 'opaque', id });
  const cases: [string, unknown, string[]][] = [
    ['an object id', user, [`user:${HOME}:${USER}`]],
    ['an object id in capitals', issSub(USER.toUpperCase()), [`user:${HOME}:${USER}`]],
    ['a v1 issuer', { ...user, iss: `https://sts.windows.net/${HOME}/` }, [`user:${HOME}:${USER}`]],
    ['an opaque object id', opaque(USER), [`user:${HOME}:${USER}`]],
    ['one token', { format: 'jwt_id', iss: user.iss, jti: 'Uti_1' }, [`token:${HOME}:Uti_1`]],
    ['an issuer that is not Entra', { ...user, iss: 'https://other.example.test' }, []],
    [
      'an issuer that only begins like Entra',
      { ...user, iss: `https://login.microsoftonline.com.evil.test/${HOME}/v2.0` },
      [],
    ],
    ['an opaque name', opaque('session-1'), []],
    ['a telephone number', { format: 'phone_number', phone_number: '+1' }, []],
    ['a format named like what every object has', { format: 'constructor' }, []],
    ['a format of the future', { format: 'fingerprint', print: 'x' }, []],
    ['an unknown e-mail', { format: 'email', email: 'nobody@example.test' }, []],
    ['a tenant alone', { format: 'complex', tenant: opaque(HOME) }, [`tenant:${HOME}`]],
    ['a session alone', { format: 'complex', session: opaque('s') }, []],
    [
      'a tenant and a session of somebody',
      { format: 'complex', tenant: opaque(HOME), session: opaque('s') },
      [],
    ],
    [
      'a tenant and what no specification has',
      { format: 'complex', tenant: opaque(HOME), ' USER': user },
      [],
    ],
    [
      'an application and what no specification has',
      { format: 'complex', application: opaque(CLIENT), User: user },
      [],
    ],
    ['a user and its session', { format: 'complex', user, session: opaque('s') }, [`user:${HOME}:${USER}`]],
    ['a user said to be elsewhere', { format: 'complex', user, tenant: opaque(OTHER) }, []],
    ['an application', { format: 'complex', application: opaque(CLIENT) }, [`client:${HOME}:${CLIENT}`]],
  ];
  for (const [what, subject, expected] of cases)
    test(`${what}: ${expected.length === 0 ? 'acknowledged, nobody of ours' : expected.join(' ')}`, async () => {
      assert.equal(await push(signSet(set(subject))), 'accepted');
      assert.deepEqual(keys(), expected);
      if (expected.length === 0) assert.equal(world.records('signal')[0]?.['outcome'], 'subject unknown');
    });

  test('a critical member that is not understood makes the event void', async () => {
    const critical = createWorld();
    const transmitters = critical.deps.policy().transmitters.map((each) => ({
      ...each,
      criticalSubjectMembers: ['session'],
    }));
    const { createRevocation } = await import('../../../src/revocation/revocation.ts');
    const { signal } = createRevocation({
      ...critical.deps,
      policy: () => ({ ...critical.deps.policy(), transmitters }),
    });
    const subject = { format: 'complex', user, session: opaque('s') };
    assert.equal(await signal(signSet(set(subject))), 'accepted');
    assert.deepEqual([...critical.entries.keys()], []);
  });

  const malformed: [string, unknown][] = [
    ['a text', 'ada'],
    ['no format', { iss: 'x', sub: 'y' }],
    ['a missing member', { format: 'iss_sub', iss: user.iss }],
    ['an empty member', issSub('')],
    ['a null member', { ...user, sub: null }],
    ['a member too many', { ...user, email: 'jo@example.test' }],
    ['no aliases', { format: 'aliases', identifiers: [] }],
    ['nested aliases', { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [user] }] }],
    ['an empty complex subject', { format: 'complex' }],
    ['a complex member that is a text', { format: 'complex', user: 'ada' }],
  ];
  for (const [what, subject] of malformed)
    test(`${what} is invalid_request`, async () => {
      assert.equal(errorOf(await push(signSet(set(subject)))), 'invalid_request');
    });

  test('a transmitter of another tenant gets one answer for every e-mail, without a look at the directory', async () => {
    const known = 'jo@example.test';
    world.users.set(known, { objectId: USER, enabled: true, sessionsValidFromMs: undefined });
    const transmitters = world.deps.policy().transmitters.map((each) => ({ ...each, tenants: ['other'] }));
    const { createRevocation } = await import('../../../src/revocation/revocation.ts');
    const { signal } = createRevocation({
      ...world.deps,
      policy: () => ({ ...world.deps.policy(), transmitters }),
    });
    for (const email of [known, 'nobody@example.test']) {
      const subject = { format: 'email', email };
      for (const about of [
        subject,
        { format: 'aliases', identifiers: [subject] },
        { format: 'complex', user: subject },
        { format: 'complex', user: subject, tenant: opaque(HOME) },
      ])
        assert.equal(await signal(signSet(set(about))), 'accepted');
    }
    assert.deepEqual(keys(), []);
    assert.ok(!world.asked.some((asked) => asked.startsWith('user ')));
  });

  test('what is no e-mail address is nobody, and no other address of Graph', async () => {
    for (const email of [
      'delta',
      '..',
      '$count',
      '../me@x/..',
      'a@b@c',
      '\ud800@example.test',
      `${'x'.repeat(400)}@x`,
    ])
      assert.equal(await push(signSet(set({ format: 'email', email }))), 'accepted');
    assert.ok(!world.asked.some((asked) => asked.startsWith('user ')), world.asked.join());
  });

  test('Graph being down is an outage, never an unknown subject', async () => {
    world.down.add('graph');
    await assert.rejects(push(signSet(set({ format: 'email', email: 'jo@example.test' }))), UpstreamFailure);
  });
});

describe('what events mean', () => {
  const revoking: [string, unknown][] = [
    [`${CAEP}session-revoked`, {}],
    [`${CAEP}token-claims-change`, { claims: { role: 'x' } }],
    [`${CAEP}credential-change`, { credential_type: 'password', change_type: 'update' }],
    [`${CAEP}assurance-level-change`, { namespace: 'RFC8176', current_level: '1' }],
    [`${CAEP}device-compliance-change`, { previous_status: 'compliant', current_status: 'not-compliant' }],
    [`${CAEP}risk-level-change`, { principal: 'USER', current_level: 'HIGH' }],
    [`${RISC}credential-compromise`, { credential_type: 'password' }],
    [`${RISC}sessions-revoked`, {}],
    [`${RISC}identifier-recycled`, {}],
  ];
  for (const [type, event] of revoking)
    test(`${type.split('/').at(-1)} refuses older tokens`, async () => {
      assert.equal(await push(signSet(set(user, type, event))), 'accepted');
      assert.deepEqual(keys(), [`user:${HOME}:${USER}`]);
    });

  const harmless: [string, unknown][] = [
    [`${CAEP}credential-change`, { credential_type: 'fido2-roaming', change_type: 'create' }],
    [`${CAEP}assurance-level-change`, { namespace: 'n', current_level: '2', change_direction: 'increase' }],
    [`${CAEP}device-compliance-change`, { previous_status: 'not-compliant', current_status: 'compliant' }],
    [`${CAEP}risk-level-change`, { principal: 'USER', current_level: 'LOW' }],
    [`${CAEP}session-established`, {}],
    [`${CAEP}session-presented`, {}],
    [`${RISC}account-enabled`, {}],
    [`${RISC}opt-out-effective`, {}],
    [`${RISC}recovery-activated`, {}],
    ['https://schemas.openid.net/secevent/ssf/event-type/stream-updated', { status: 'paused' }],
    ['https://example.test/some/future-event', {}],
  ];
  for (const [type, event] of harmless)
    test(`${type.split('/').at(-1)} ${JSON.stringify(event)} refuses nothing`, async () => {
      assert.equal(await push(signSet(set(user, type, event))), 'accepted');
      assert.deepEqual(keys(), []);
    });

  const malformed: [string, unknown][] = [
    [`${CAEP}credential-change`, { credential_type: 'password' }],
    [`${CAEP}credential-change`, { credential_type: 'password', change_type: 'explode' }],
    [`${CAEP}token-claims-change`, {}],
    [`${CAEP}risk-level-change`, { principal: 'USER', current_level: 'PURPLE' }],
    [`${CAEP}session-revoked`, { event_timestamp: '2026-03-04' }],
    [`${CAEP}session-revoked`, { event_timestamp: 1.5 }],
    [`${CAEP}session-revoked`, 'text'],
    [`${CAEP}session-revoked`, null],
  ];
  for (const [type, event] of malformed)
    test(`${type.split('/').at(-1)} ${JSON.stringify(event)} is invalid_request`, async () => {
      assert.equal(errorOf(await push(signSet(set(user, type, event)))), 'invalid_request');
    });

  test('the time is event_timestamp, else toe, else iat; in the future it is now', async () => {
    const cutOff = async (event: unknown, over = {}) => {
      world = createWorld();
      assert.equal(await push(signSet(set(user, undefined, event, over))), 'accepted');
      return world.entries.get(`user:${HOME}:${USER}`)?.cutOffSeconds;
    };
    assert.equal(
      await cutOff({ event_timestamp: EVENT_AT }, { toe: EVENT_AT + 1 }),
      EVENT_AT + MAX_CLOCKS_DIFFER_SECONDS,
    );
    assert.equal(await cutOff({}, { toe: EVENT_AT + 1 }), EVENT_AT + 1 + MAX_CLOCKS_DIFFER_SECONDS);
    assert.equal(await cutOff({}), ISSUED_AT + MAX_CLOCKS_DIFFER_SECONDS);
    assert.equal(await cutOff({ event_timestamp: 4e9 }), START_MS / 1000 + 1 + MAX_CLOCKS_DIFFER_SECONDS);
  });

  test('what happened before any living token was issued writes nothing', async () => {
    assert.equal(await push(signSet(set(user, undefined, { event_timestamp: 1_600_000_000 }))), 'accepted');
    assert.deepEqual(keys(), []);
  });
});

describe('profiles', () => {
  const legacy = { subject: { subject_type: 'iss-sub', iss: user.iss, sub: USER } };
  const variations: [string, ReturnType<typeof set>][] = [
    ['no typ', set(user, undefined, {}, {}, { typ: undefined })],
    ['typ JWT', set(user, undefined, {}, {}, { typ: 'JWT' })],
    ['sub beside the event', set(user, undefined, {}, { sub: 'x' })],
    ['exp', set(user, undefined, {}, { exp: 1 })],
    ['the subject inside the event', set(undefined, undefined, legacy)],
    ['a member too many in the subject', set({ ...user, more: 'x' })],
    [
      'two events',
      set(
        user,
        undefined,
        {},
        { events: { [`${CAEP}session-revoked`]: {}, [`${RISC}sessions-revoked`]: {} } },
      ),
    ],
  ];
  for (const [what, variation] of variations)
    test(`${what}: refused in the strict profile, understood in the lenient one`, async () => {
      assert.equal(errorOf(await push(signSet(variation))), 'invalid_request');
      assert.deepEqual(keys(), []);
      variation.payload.iss = 'https://easy.example.test/';
      assert.equal(await push(signSet(variation)), 'accepted');
      assert.deepEqual(keys(), [`user:${HOME}:${USER}`]);
    });

  test('the media type prefix and its case do not matter', async () => {
    for (const typ of ['application/secevent+jwt', 'SecEvent+JWT'])
      assert.equal(await push(signSet(set(user, undefined, {}, {}, { typ }))), 'accepted');
  });
});

describe('delivery', () => {
  test('one jti of two issuers is two signals: each is kept, and each is known again', async () => {
    const one = { jti: 'one' };
    const tokens = [set(user, undefined, {}, one), set(user, undefined, {}, lenient(one))].map((each) =>
      signSet(each),
    );
    for (const token of tokens) assert.equal(await push(token), 'accepted');
    assert.equal(world.records('signal').length, 2);
    const { bumps } = world;
    for (const token of tokens) assert.equal(await push(token), 'accepted');
    assert.equal(world.bumps, bumps);
  });

  test('a duplicate is answered as if new and moves nothing', async () => {
    const token = signSet(set(user));
    assert.equal(await push(token), 'accepted');
    assert.equal(await push(token), 'accepted');
    assert.equal(world.bumps, 1);
  });

  test('another token under a used jti is acted upon', async () => {
    assert.equal(await push(signSet(set(user, undefined, {}, { jti: 'same' }))), 'accepted');
    assert.equal(await push(signSet(set(issSub(CLIENT), undefined, {}, { jti: 'same' }))), 'accepted');
    assert.deepEqual(keys(), [`user:${HOME}:${USER}`, `user:${HOME}:${CLIENT}`]);
  });

  test('an outage at any call of the tables loses nothing', async () => {
    const token = signSet(set(user));
    for (let calls = 0; ; calls += 1) {
      world = createWorld();
      world.failTablesAfter(calls);
      const first = await push(token).catch((error: unknown) => error);
      world.failTablesAfter(Number.POSITIVE_INFINITY);
      assert.equal(await push(token), 'accepted');
      assert.equal(
        world.entries.get(`user:${HOME}:${USER}`)?.cutOffSeconds,
        ISSUED_AT + MAX_CLOCKS_DIFFER_SECONDS,
      );
      assert.ok(world.bumps >= 1);
      if (first === 'accepted') break;
      assert.ok(first instanceof UpstreamFailure);
    }
  });

  test('what is no token at all is invalid_request', async () => {
    const good = signSet(set(user));
    const [header = '', payload = '', signature = ''] = good.split('.');
    for (const bad of [
      '',
      'x',
      'a.b',
      `${good}.`,
      `${good}==`,
      `${header}.${payload}`,
      `${header}.${payload} .${signature}`,
      `${header}.${Buffer.from('{"iss":"https://idp.example.test/","iss":"https://idp.example.test/"}').toString('base64url')}.${signature}`,
      `${header}.${Buffer.from('[]').toString('base64url')}.${signature}`,
      'a'.repeat(70_000),
    ])
      assert.equal(errorOf(await push(bad)), 'invalid_request', bad.slice(0, 20));
  });

  for (const over of [
    { jti: undefined },
    { jti: '' },
    { iat: 'x' },
    { iat: 1.5 },
    { events: {} },
    { events: [] },
    { toe: 'x' },
  ])
    test(`a token with ${JSON.stringify(over)} is invalid_request`, async () => {
      assert.equal(errorOf(await push(signSet(set(user, undefined, {}, over)))), 'invalid_request');
    });
});

function errorOf(answer: 'accepted' | SetError): string {
  return answer === 'accepted' ? answer : answer.err;
}
