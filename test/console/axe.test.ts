/** Every view, in light and dark and at a phone's width, held to all rules of axe-core. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { VIEW_NAMES } from '../../src/console/route.ts';
import { startLocal } from '../local/local-mode.ts';
import { launchBrowser, newPage, noBrowser, signIn } from './browser.ts';
import { type Told, tell } from './story.ts';

const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}
const LOOKS = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;

suite('axe', { skip: noBrowser }, () => {
  let local: Awaited<ReturnType<typeof startLocal>>;
  let browser: Browser;
  let told: Told;
  before(async () => {
    local = await startLocal(['--speed', '60']);
    told = await tell(local.description);
    await told.act('speech');
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await local?.[Symbol.asyncDispose]();
  });

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    const found = (await page.evaluate(
      'axe.run(document).then(({ violations }) => violations)',
    )) as Violation[];
    return found.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} (${impact}): ${html.slice(0, 160)} ${failureSummary}`),
    );
  }

  test('a violation that is planted is found', async () => {
    const { page } = await newPage(browser);
    await page.goto(local.description.console);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.evaluate("document.querySelector('main').append(document.createElement('input'))");
    assert.match((await violations(page)).join(), /^label \(critical\)/);
    await page.context().close();
  });

  for (const { name, ...look } of LOOKS)
    test(`${name}: no violation of any level, in any view, dialog or answer`, async (t) => {
      const { page, complaints } = await newPage(browser, look);
      const found: string[] = [];
      let places = 0;
      const check = async (place: string) => {
        places += 1;
        found.push(...(await violations(page)).map((violation) => `${place}: ${violation}`));
      };
      await page.goto(local.description.console);
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      await check('welcome');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'auditor' }).waitFor();
      await check('the sign-in of the simulated Entra');
      await signIn(page, local.description.console, 'operator');
      const queries = [
        '',
        '?account=speech',
        '?account=vision',
        `?correlation=${told.refused}`,
        '?by=caller',
        '?find=nothing-has-this',
      ];
      for (const view of VIEW_NAMES)
        for (const query of queries) {
          if (query.startsWith('?account') && view !== 'accounts') continue;
          if (query.startsWith('?corr') && view !== 'explain') continue;
          if (query === '?by=caller' && view !== 'explain' && view !== 'traffic') continue;
          await page.goto(`${local.description.console}#/${view}${query}`);
          await sleep(900);
          await check(`${view}${query}`);
        }
      await page.goto(`${local.description.console}#/accounts?account=speech`);
      for (const act of ['Rotate…', 'Emergency…', 'Pause…']) {
        await page.getByRole('button', { name: act }).click();
        await page.getByRole('dialog').waitFor();
        await check(act);
        await page.keyboard.press('Escape');
      }
      t.diagnostic(`${places} places, ${found.length} violations, ${complaints.length} complaints`);
      assert.deepEqual(found, []);
      assert.deepEqual(complaints, []);
      await page.context().close();
    });
});
