/** The views over a thousand accounts and ten thousand callers, in a browser, by keyboard. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, suite, test } from 'node:test';
import type { Browser, Download, Page } from 'playwright-core';
import { launchBrowser, newPage, noBrowser } from './browser.ts';
import { startLarge } from './large/server.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const EXCHANGES = 30_000;
/** What is in the page of a list or a table, however long it is. */
const MOST_ROWS = 60;
const MOST_CELLS = 700;

suite('the console over a large broker', { skip: noBrowser }, () => {
  let browser: Browser;
  let broker: Awaited<ReturnType<typeof startLarge>>;
  before(async () => {
    [browser, broker] = await Promise.all([launchBrowser(), startLarge(Date.now(), EXCHANGES)]);
  });
  after(async () => {
    await browser?.close();
    broker?.close();
  });
  async function open(place: string, ready: string): Promise<{ page: Page; complaints: string[] }> {
    const opened = await newPage(browser);
    await opened.page.goto(`${broker.url}#/${place}`);
    await opened.page.locator(ready).first().waitFor();
    return opened;
  }
  /** `row column` of the cell with the focus. */
  const focused = async (page: Page): Promise<string> => {
    const cell = page.locator('[role=gridcell]:focus');
    const row = await page.locator('[role=row]:has(> :focus)').getAttribute('aria-rowindex');
    return `${row} ${await cell.getAttribute('aria-colindex')}`;
  };

  test('ten thousand callers and a thousand resources are a matrix of what is seen, to its last cell by keyboard', async () => {
    const { page, complaints } = await open('policy', '.matrix .given');
    await page.locator('.matrix [tabindex="0"]').focus();
    for (const [key, place] of [
      ['ArrowDown', '3 2'],
      ['ArrowRight', '3 3'],
      ['Control+End', '10001 1001'],
      ['ArrowUp', '10000 1001'],
      ['Home', '10000 2'],
      ['Control+Home', '2 2'],
    ] as const) {
      await page.keyboard.press(key);
      assert.equal(await focused(page), place, key);
    }
    const cells = await page.locator('.matrix [role=gridcell]').count();
    assert.ok(cells > 0 && cells < MOST_CELLS, `${cells} cells`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'ai-0000: team-000' }).waitFor();
    assert.match(page.url(), /#\/policy\?cell=/, 'the cell can be linked to');
    assert.deepEqual(complaints, []);
  });

  test('a row of a long list keeps the focus when it is scrolled out of sight', async () => {
    const { page } = await open('events', '.rows .row-at');
    await page.locator('.rows a').first().focus();
    const before = await page.evaluate<string>('document.activeElement.href');
    await page.locator('.rows').evaluate((list) => list.scrollTo(0, 20_000));
    await page.locator('.rows [aria-rowindex="530"]').waitFor();
    assert.equal(await page.evaluate<string>('document.activeElement.href'), before);
    const rows = await page.locator('.rows .row-at').count();
    assert.ok(rows < MOST_ROWS, `${rows} rows`);
  });

  test('a column of the chart leads to its records', async () => {
    const { page } = await open('traffic', '.bars a');
    await page.locator('.bars.granted a[tabindex="0"]').focus();
    await page.keyboard.press('ArrowLeft');
    const name = await page.evaluate<string>('document.activeElement.getAttribute("aria-label")');
    await page.keyboard.press('Enter');
    const [, count = ''] = /: ([\d,]+) granted$/.exec(name) ?? [];
    assert.notEqual(count, '');
    await page.getByText(`${count} records`, { exact: true }).waitFor();
  });

  test('what is saved is what is found, not what is seen', async () => {
    const { page } = await open('events', '.rows .row-at');
    await page.getByLabel('Find', { exact: true }).fill('contoso');
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as CSV' }).click(),
    ]);
    const lines = (await textOf(saved)).trim().split('\r\n');
    assert.equal(lines.length, 101);
    assert.equal(lines[0], 'When,What,About,What it did,From');
  });

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390])
      test(`axe finds nothing at ${width} px, ${colorScheme}, and nothing is wider than the page`, async () => {
        const { page, complaints } = await newPage(browser, {
          colorScheme,
          viewport: { width, height: 900 },
        });
        for (const [view, ready] of Object.entries({
          traffic: '.bars a',
          policy: '.matrix .given',
          events: '.rows .row-at',
          record: '.rows .row-at',
        })) {
          await page.goto(`${broker.url}#/${view}`);
          await page.locator(ready).first().waitFor();
          await page.evaluate(AXE);
          const found = await page.evaluate<string[]>(
            'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))',
          );
          assert.deepEqual(found, [], view);
          assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, view);
        }
        assert.deepEqual(
          complaints.filter((what) => !what.includes('404')),
          [],
        );
      });
});

async function textOf(saved: Download): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of await saved.createReadStream()) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
