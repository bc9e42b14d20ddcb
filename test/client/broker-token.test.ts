import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { BrokerError } from '../../src/client/broker-error.ts';
import { type BrokerTokenOptions, brokerToken } from '../../src/client/broker-token.ts';
import { granted, startFakeBroker } from './fake-broker.ts';

describe('the token function of an app', () => {
  let broker: Awaited<ReturnType<typeof startFakeBroker>>;
  let nowMs: number;
  before(async () => {
    broker = await startFakeBroker();
  });
  beforeEach(() => {
    broker.asked.length = 0;
    broker.answers((count) => granted(`token-${count}`));
    nowMs = 1_000_000;
  });
  after(() => broker.close());

  const create = (more: Partial<BrokerTokenOptions> = {}) =>
    brokerToken({
      issuer: broker.issuer,
      getCallerToken: () => 'caller-token',
      resource: 'speech',
      nowMs: () => nowMs,
      random: () => 0,
      ...more,
    });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 30));
  const inSeconds = (seconds: number) => {
    nowMs += seconds * 1000;
  };

  it('sends the exchange of RFC 8693 and says where the token is good', async () => {
    broker.answers(() => granted('t', { speech_authorization: 'aad#id#t' }));
    const token = await create({ tokenKind: 'sts' })();
    assert.deepEqual(Object.fromEntries(broker.asked[0] ?? []), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'caller-token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: 'speech',
      token_kind: 'sts',
    });
    assert.deepEqual(token, {
      accessToken: 't',
      speechAuthorization: 'aad#id#t',
      tokenKind: 'sts',
      endpoint: 'https://speech.example',
      region: 'westeurope',
      expiresAtMs: nowMs + 600_000,
      refreshAtMs: nowMs + 480_000,
    });
  });

  it('lets all who wait share one exchange, and answers from the cache after it', async () => {
    const get = create();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => get()));
    assert.deepEqual(new Set(tokens.map(({ accessToken }) => accessToken)), new Set(['token-1']));
    inSeconds(479);
    assert.equal((await get()).accessToken, 'token-1');
    assert.equal(broker.asked.length, 1);
  });

  it('fetches the next token in the background once refresh_in has passed', async () => {
    const get = create();
    await get();
    inSeconds(480);
    assert.equal((await get()).accessToken, 'token-1', 'nobody waits for the refresh');
    await settled();
    assert.equal((await get()).accessToken, 'token-2');
    assert.equal(broker.asked.length, 2);
  });

  it('spreads the refreshes of many processes over the last tenth of refresh_in', async () => {
    const earliest = await create({ random: () => 1 })();
    assert.equal(earliest.refreshAtMs, nowMs + 432_000);
  });

  it('never hands out a token that has run out', async () => {
    const get = create();
    await get();
    inSeconds(591);
    assert.equal((await get()).accessToken, 'token-2');
  });

  it('counts the life of a token from before the exchange was sent', async () => {
    const sentAtMs = nowMs;
    broker.answers(() => {
      inSeconds(3);
      return granted('slow');
    });
    assert.equal((await create()()).expiresAtMs, sentAtMs + 600_000);
  });

  it('keeps working through an outage while its token lives, and asks no more often than it was told', async () => {
    const get = create();
    await get();
    broker.answers(() => ({
      status: 503,
      headers: { 'retry-after': '20' },
      body: { error: 'temporarily_unavailable' },
    }));
    inSeconds(480);
    for (let call = 0; call < 5; call += 1) {
      assert.equal((await get()).accessToken, 'token-1');
      await settled();
    }
    assert.equal(broker.asked.length, 2);
    inSeconds(20);
    await get();
    await settled();
    assert.equal(broker.asked.length, 3);
    inSeconds(95);
    await assert.rejects(get(), { name: 'BrokerError', status: 503, retryAfterSeconds: 20 });
    broker.answers(() => granted('again'));
    inSeconds(19);
    const asked = broker.asked.length;
    await assert.rejects(get(), { status: 503 });
    assert.equal(broker.asked.length, asked, 'it is not asked before the time that it named');
    inSeconds(1);
    assert.equal((await get()).accessToken, 'again', 'and then it is');
  });

  it('gives another token for one that was refused, with one exchange for all who were refused', async () => {
    const get = create();
    const refused = await get();
    const others = await Promise.all(Array.from({ length: 10 }, () => get({ refused })));
    assert.deepEqual(new Set(others.map(({ accessToken }) => accessToken)), new Set(['token-2']));
    assert.equal((await get({ refused })).accessToken, 'token-2', 'it came late: the cache is newer already');
    assert.equal(broker.asked.length, 2);
  });

  it('keeps the answer to a challenge, though a refresh that began before it ends after it', async () => {
    const held = Promise.withResolvers<void>();
    broker.answers(async (count) => {
      if (count === 2) await held.promise;
      return granted(`token-${count}`);
    });
    const get = create();
    await get();
    inSeconds(480);
    await get();
    await settled();
    assert.equal((await get({ claims: '{}' })).accessToken, 'token-3');
    held.resolve();
    await settled();
    assert.equal((await get()).accessToken, 'token-3');
  });

  it('answers a claims challenge by an exchange of its own', async () => {
    const challenges: (string | undefined)[] = [];
    const get = create({
      getCallerToken: (claims) => {
        challenges.push(claims);
        return 'caller-token';
      },
    });
    await get();
    assert.equal((await get({ claims: '{"access_token":{}}' })).accessToken, 'token-2');
    assert.equal((await get()).accessToken, 'token-2');
    assert.deepEqual(challenges, [undefined, '{"access_token":{}}']);
  });

  describe('whose caller token is from before a revocation', () => {
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1772619451"}}}';
    const tooOld = {
      status: 400,
      headers: { 'retry-after': '90' },
      body: { error: 'invalid_request', error_description: 'subject_token is no longer accepted', claims },
    };
    /** As MSAL does: from its cache, and past it where there are claims. */
    const cache = () => {
      let count = 0;
      const asked: (string | undefined)[] = [];
      const getCallerToken = (challenge?: string) => {
        asked.push(challenge);
        if (count === 0 || challenge !== undefined) count += 1;
        return `caller-token-${count}`;
      };
      return { asked, getCallerToken };
    };
    const needs = (newest: string) =>
      broker.answers((count) =>
        broker.asked.at(-1)?.get('subject_token') === newest ? granted(`token-${count}`) : tooOld,
      );

    it('gets a newer one past the cache and is served, in one call', async () => {
      needs('caller-token-2');
      const { asked, getCallerToken } = cache();
      const get = create({ getCallerToken });
      assert.equal((await get()).accessToken, 'token-2');
      assert.deepEqual(asked, [undefined, claims]);
      inSeconds(591);
      await get();
      assert.deepEqual(asked, [undefined, claims, undefined], 'the cache has the newer one from now on');
    });

    it('does so in the background too', async () => {
      needs('caller-token-1');
      const { asked, getCallerToken } = cache();
      const get = create({ getCallerToken });
      await get();
      needs('caller-token-2');
      inSeconds(480);
      await get();
      await settled();
      assert.equal((await get()).accessToken, 'token-3');
      assert.deepEqual(asked, [undefined, undefined, claims]);
    });

    it('hears when to come again, where the newer one is too old as well, and Entra is asked once', async () => {
      needs('caller-token-9');
      const { asked, getCallerToken } = cache();
      await assert.rejects(create({ getCallerToken })(), { claims, status: 400, retryAfterSeconds: 90 });
      assert.deepEqual(asked, [undefined, claims]);
    });

    it('and whom no token would help is told so at once', async () => {
      broker.answers(() => ({ ...tooOld, body: { error: 'invalid_request' } }));
      const { asked, getCallerToken } = cache();
      await assert.rejects(create({ getCallerToken })(), { code: 'invalid_request', claims: undefined });
      assert.deepEqual(asked, [undefined]);
    });
  });

  it('says what the broker said, and no token, when it is refused', async () => {
    broker.answers(() => ({
      status: 400,
      body: {
        error: 'interaction_required',
        error_description: 'the user must sign in again',
        claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
        correlation_id: '0af7651916cd43dd8448eb211c80319c',
      },
    }));
    await assert.rejects(create()(), (error) => {
      assert(error instanceof BrokerError);
      assert.equal(error.code, 'interaction_required');
      assert.equal(error.correlationId, '0af7651916cd43dd8448eb211c80319c');
      assert.equal(
        error.message,
        'interaction_required: the user must sign in again (correlation id 0af7651916cd43dd8448eb211c80319c)',
      );
      assert.match(error.claims ?? '', /acrs/);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /caller-token/);
      return true;
    });
  });

  it('makes one exchange for a thousand who ask at once, also where they answer one challenge', async () => {
    const get = create();
    const ask = (claims?: string) => Promise.all(Array.from({ length: 1_000 }, () => get({ claims })));
    assert.equal(new Set((await ask()).map(({ accessToken }) => accessToken)).size, 1);
    assert.equal(broker.asked.length, 1);
    await ask('{}');
    assert.equal(broker.asked.length, 2);
  });

  describe('in an outage, where nothing is held', () => {
    const pauses: number[] = [];
    const outage = (retryAfter?: string) =>
      broker.answers((count) =>
        count < 3
          ? {
              status: 503,
              body: { error: 'temporarily_unavailable' },
              ...(retryAfter && { headers: { 'retry-after': retryAfter } }),
            }
          : granted('again'),
      );
    const wait = async (ms: number) => {
      pauses.push(ms);
    };
    beforeEach(() => {
      pauses.length = 0;
    });

    it('tries again after a pause that grows, at a time that differs between processes', async () => {
      outage();
      assert.equal((await create({ wait, random: () => 0.5 })()).accessToken, 'again');
      assert.deepEqual(pauses, [750, 1500]);
    });

    it('waits as long as it was told, where that is short', async () => {
      outage('2');
      assert.equal((await create({ wait })()).accessToken, 'again');
      assert.deepEqual(pauses, [2000, 2000]);
    });

    it('gives up after three tries, and at once where it was told to come much later', async () => {
      broker.answers(() => ({ status: 503, body: { error: 'temporarily_unavailable' } }));
      await assert.rejects(create({ wait })(), { status: 503 });
      assert.equal(broker.asked.length, 3);
      outage('60');
      broker.asked.length = 0;
      const get = create({ wait });
      await assert.rejects(get(), { status: 503, retryAfterSeconds: 60 });
      await assert.rejects(get(), { status: 503, retryAfterSeconds: 60 });
      assert.equal(broker.asked.length, 1);
    });

    it('does not try a refusal again', async () => {
      broker.answers(() => ({ status: 400, body: { error: 'invalid_target' } }));
      await assert.rejects(create({ wait })(), { code: 'invalid_target' });
      assert.equal(broker.asked.length, 1);
      assert.deepEqual(pauses, []);
    });
  });

  it('ends the wait of the one who aborts it, and of nobody else', async () => {
    const held = Promise.withResolvers<void>();
    broker.answers(async () => {
      await held.promise;
      return granted('late');
    });
    const get = create();
    const aborts = new AbortController();
    const [ended, other] = [get({ signal: aborts.signal }), get()];
    aborts.abort();
    await assert.rejects(ended, { name: 'AbortError' });
    held.resolve();
    assert.equal((await other).accessToken, 'late');
    await assert.rejects(get({ signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(broker.asked.length, 1);
  });

  it('passes on why the caller has no token of its own', async () => {
    const own = new Error('sign in first');
    await assert.rejects(create({ getCallerToken: () => Promise.reject(own) })(), own);
  });
});
