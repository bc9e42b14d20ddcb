/**
 * What people come to the console for, from sign-in to the end, in a real browser at sixty times the speed: once with a
 * mouse, and once by keyboard alone. In the whole run nothing is complained of.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { callerNamed, callerToken, exchange, startLocal } from '../local/local-mode.ts';
import { launchBrowser, newPage, noBrowser } from './browser.ts';
import { type Hand, keyboard, mouse } from './hands.ts';

const ROTATION_MS = 90_000;

suite('the console', { skip: noBrowser }, () => {
  let local: Awaited<ReturnType<typeof startLocal>>;
  let browser: Browser;
  before(async () => {
    local = await startLocal(['--speed', '60']);
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await local?.[Symbol.asyncDispose]();
  });
  const ask = async (name: string, resource: string) =>
    exchange(local.description.broker, await callerToken(local.description, name), resource);
  async function enter(page: Page, hand: Hand, person: string): Promise<void> {
    await page.goto(local.description.console);
    await hand.press('button', 'Sign in');
    await hand.press('button', person);
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
  }

  test('an auditor sees all of it and is offered no act', async () => {
    const { page, complaints } = await newPage(browser);
    await enter(page, mouse(page), 'auditor');
    await page.getByRole('link', { name: 'speech' }).first().click();
    await page.getByRole('heading', { name: 'Its keys' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /Rotate|Emergency|Pause/ }).count(), 0);
    await page.getByRole('link', { name: 'Revocations' }).click();
    await page.getByText('you need the app role Broker.Operator').waitFor();
    assert.equal(await page.getByRole('button', { name: 'See what would end' }).count(), 0);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  const people: readonly (readonly [(page: Page) => Hand, string, string, string])[] = [
    [mouse, 'captions', 'speech', 'chat'],
    [keyboard, 'translations', 'translator', 'chat'],
  ];
  for (const [handOf, caller, account, other] of people)
    test(`by ${handOf.name}: an access is ended, explained and given back, a draft is tried, and a rotation watched to its end`, async (t) => {
      const { page, complaints } = await newPage(browser);
      const hand = handOf(page);
      await enter(page, hand, 'operator');

      assert.equal((await ask(caller, account)).status, 200);
      const { clientId } = callerNamed(local.description, caller);
      await hand.press('link', 'Revocations');
      await hand.choose('What', 'App');
      await hand.write('Client id', clientId);
      await hand.press('checkbox', /^Block/);
      await hand.press('button', 'See what would end');
      await page.getByText('Ends at once, on every instance').waitFor();
      await hand.press('button', `Revoke the app ${clientId}…`);
      await hand.write('Reason, which goes on record', 'its secret was in a log');
      await hand.press('button', `Revoke the app ${clientId}`);
      await page.getByText('until the last token is dead').waitFor();
      const refused = await ask(caller, account);
      assert.equal(refused.status, 400);
      const counted = performance.now();
      await page
        .getByText('no token of it is accepted anywhere any more')
        .first()
        .waitFor({ timeout: 60_000 });
      t.diagnostic(`the countdown ended after ${Math.round(performance.now() - counted)} ms more`);

      await hand.press('link', 'Explain');
      await hand.write('Correlation id', String(refused.body['correlation_id']));
      await hand.press('button', 'Explain');
      await page.getByRole('heading', { name: /Refused/ }).waitFor();
      await page.getByRole('heading', { name: 'What is revoked' }).waitFor();

      await hand.press('link', 'Revocations');
      await hand.press('link', `The app ${clientId}`);
      await hand.press('button', 'Lift the block…');
      await hand.write('Reason, which goes on record', 'it has a new secret');
      await hand.press('button', `Lift the block of the app ${clientId}`);
      await page.getByText('Cut off').first().waitFor();
      // A token of Entra from before the revocation stays refused; two minutes of virtual time are two seconds.
      await sleep(3_000);
      assert.equal((await ask(caller, account)).status, 200);

      await hand.press('link', 'Who may what');
      await hand.press('button', 'Start from what is in force');
      const policy = JSON.parse(await page.getByLabel('The whole policy, as JSON').inputValue());
      policy.grants = policy.grants.filter(({ name }: { name: string }) => name !== caller);
      await hand.write('The whole policy, as JSON', JSON.stringify(policy));
      await hand.press('button', 'What would change?');
      await page.getByText('loses', { exact: true }).first().waitFor();
      assert.equal((await ask(caller, other)).status, 400);

      await hand.press('link', 'Accounts');
      await hand.press('link', new RegExp(`^${account}`));
      await hand.press('button', 'Rotate…');
      await hand.choose('Which key', 'Key1');
      await hand.write('Reason, which goes on record', 'somebody left the team');
      await hand.press('button', /^Rotate \w/);
      const began = performance.now();
      const phases = await phasesOf(page);
      t.diagnostic(`the rotation: ${phases.join(' > ')}, ${Math.round(performance.now() - began)} ms`);
      // The schedule may have begun one before; the whole way of one key is seen.
      assert.match(
        phases.join(' '),
        /Promoting (\(\w+\)) Draining \1 Regenerating \1 Proving \1 (?:.* )?Steady$/,
      );
      assert.deepEqual(complaints, []);
      await page.context().close();
    });

  /** What the account is said to be doing, one after the other, until its rotation is done. */
  async function phasesOf(page: Page): Promise<string[]> {
    const phases: string[] = [];
    const until = performance.now() + ROTATION_MS;
    const tag = page.locator('.account .head .tag');
    while (performance.now() < until) {
      const words = (await tag.innerText()).replace(/^\W+/, '');
      if (words !== phases.at(-1)) phases.push(words);
      if (phases.length > 2 && phases.at(-1) === 'Steady')
        return phases.filter((phase, at) => at > 0 || phase !== 'Steady');
      await sleep(100);
    }
    assert.fail(`the rotation was not seen to end: ${phases.join(' > ')}`);
  }
});
