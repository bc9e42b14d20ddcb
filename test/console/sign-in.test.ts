/** Sign-in in a real browser, against the local mode. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startLocal } from '../local/local-mode.ts';
import { launchBrowser, newPage, noBrowser, signIn } from './browser.ts';

/** On two cores that other tests share. */
const FIRST_VIEW_MS = 3_000;

suite('sign-in', { skip: noBrowser }, () => {
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
  const kept = '(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]))()';

  test('an auditor and an operator sign in, land where their link led, and a reload signs in again silently', async () => {
    for (const person of ['auditor', 'operator'] as const) {
      const { page, complaints } = await newPage(browser);
      await signIn(page, local.description.console, person, '#/events?find=tenant');
      await page.getByRole('heading', { name: 'Events', level: 1 }).waitFor();
      assert.match(page.url(), /\/console#\/events\?find=tenant$/);
      await page.getByText(person, { exact: false }).first().waitFor();
      assert.equal(await page.evaluate(kept), '[{},{},""]', 'nothing of it is kept outside of memory');
      await page.reload();
      await page.getByRole('heading', { name: 'Events', level: 1 }).waitFor();
      assert.match(page.url(), /\/console#\/events\?find=tenant$/);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });

  test('who signs out is asked again, and a token that ends meanwhile is renewed without a word', async () => {
    const { page, complaints } = await newPage(browser);
    await signIn(page, local.description.console, 'auditor', '#/events');
    // Ninety minutes is the longest that Entra gives.
    await fetch(`${local.description.control}/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advanceSeconds: 2 * 3_600 }),
    });
    await page.getByRole('link', { name: 'Accounts' }).click();
    await page.getByText('translator').first().waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'operator', exact: true }).waitFor();
    // The browser writes each 401 into its console, and this one is expected.
    assert.deepEqual(
      complaints.filter((complaint) => !complaint.includes('401')),
      [],
    );
    await page.context().close();
  });

  test('the first view is there soon after the address, with the silent sign-in in between', async (t) => {
    const { page } = await newPage(browser);
    await signIn(page, local.description.console, 'auditor');
    const times: number[] = [];
    for (let time = 0; time < 5; time += 1) {
      await page.goto('about:blank');
      const began = performance.now();
      await page.goto(local.description.console);
      await page.getByText('speech').first().waitFor();
      times.push(Math.round(performance.now() - began));
    }
    t.diagnostic(`address to first view: ${times.join(', ')} ms`);
    assert.ok(Math.min(...times) <= FIRST_VIEW_MS, times.join());
    await page.context().close();
  });
});
