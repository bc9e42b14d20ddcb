/**
 * `node test/console/latency.ts [--json]`: how long a person waits for the console over a thousand accounts, ten thousand
 * callers and the roll-ups of a million exchanges. Each interaction is timed by Chromium itself, from the key or the
 * click until the next picture (Event Timing), and each view from the click until its rows are there.
 */
import type { Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { readCommandLine } from '../../src/command-line.ts';
import { SIZE } from './large/data.ts';
import { startLarge } from './large/server.ts';

const { values } = readCommandLine('node test/console/latency.ts [--json]', {
  options: { json: { type: 'boolean' } },
});

interface Step {
  readonly what: string;
  /** What is there when the step can begin. */
  readonly ready: string;
  readonly act: (page: Page) => Promise<void>;
}
const press = (key: string, times: number) => async (page: Page) => {
  for (let time = 0; time < times; time += 1) await page.keyboard.press(key);
};
const type = (label: string, text: string) => async (page: Page) => {
  await page.getByLabel(label, { exact: true }).click();
  await page.keyboard.type(text, { delay: 60 });
};
const wheel = (selector: string) => async (page: Page) => {
  await page.locator(selector).first().hover();
  for (let turn = 0; turn < 40; turn += 1) await page.mouse.wheel(0, 900);
};
const ROWS = '.rows .row-at';
const VIEWS: Readonly<
  Record<string, { readonly ready: string; readonly steps: readonly Omit<Step, 'ready'>[] }>
> = {
  Accounts: {
    ready: ROWS,
    steps: [
      { what: 'scroll a thousand accounts', act: wheel('.rows') },
      {
        what: 'those that rotate',
        act: (page) => page.getByRole('button', { name: /^Rotating/ }).click(),
      },
      { what: 'find an account', act: type('Find an account', '042') },
      {
        what: 'open an account',
        act: async (page) => {
          await page.getByRole('button', { name: /^All/ }).click();
          await page.locator('.rows a').first().click();
          await page.getByText('Its keys', { exact: true }).waitFor();
        },
      },
    ],
  },
  Traffic: {
    ready: `.bars a >> nth=0`,
    steps: [
      {
        what: 'columns by arrow keys',
        act: async (page) => {
          await page.locator('.bars a[tabindex="0"]').first().focus();
          await press('ArrowLeft', 20)(page);
        },
      },
      {
        what: 'told apart by caller',
        act: async (page) => {
          await page.getByLabel('When').selectOption('month');
          await page.getByLabel('Told apart by').selectOption('caller');
          await page.getByText(/of \d+,\d+/).waitFor();
        },
      },
      { what: 'find a caller', act: type('Find', '0000123') },
      {
        what: 'scroll ten thousand callers',
        act: async (page) => {
          await page.getByLabel('Find', { exact: true }).fill('');
          await wheel('.shares')(page);
        },
      },
    ],
  },
  'Who may what': {
    ready: '.matrix .given >> nth=0',
    steps: [
      {
        what: 'cells by arrow keys',
        act: async (page) => {
          await page.locator('.matrix .given').first().click();
          await press('ArrowDown', 30)(page);
          await press('ArrowRight', 30)(page);
        },
      },
      {
        what: 'pages and ends',
        act: async (page) => {
          await press('PageDown', 20)(page);
          await press('Control+End', 1)(page);
          await press('Control+Home', 1)(page);
        },
      },
      { what: 'scroll the matrix', act: wheel('.matrix') },
      { what: 'find callers', act: type('Find callers or grants', 'team-0421') },
      { what: 'find resources', act: type('Find resources', '042') },
    ],
  },
  Events: {
    ready: ROWS,
    steps: [
      { what: 'find an event', act: type('Find', 'contoso') },
      { what: 'scroll', act: wheel('.rows') },
    ],
  },
  Record: { ready: ROWS, steps: [{ what: 'scroll', act: wheel('.rows') }] },
};

interface Figures {
  readonly view: string;
  readonly what: string;
  /** Milliseconds. Event Timing leaves out what took less than 16. */
  readonly slowestMs: number;
  readonly longTaskMs: number;
}

const nowMs = Date.now();
const broker = await startLarge(nowMs);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
const errors: string[] = [];
page.on('pageerror', ({ message }) => errors.push(message));
page.on(
  'console',
  (message) => message.type() === 'error' && !message.text().includes('404') && errors.push(message.text()),
);
// It is a text, because it runs in the page and has that world's types.
await page.addInitScript(`
  window.slowest = { event: 0, longtask: 0 };
  const note = (kind) => (list) => { for (const { duration } of list.getEntries()) window.slowest[kind] = Math.max(window.slowest[kind], duration); };
  new PerformanceObserver(note('event')).observe({ type: 'event', durationThreshold: 16, buffered: true });
  new PerformanceObserver(note('longtask')).observe({ type: 'longtask', buffered: true });
`);
async function measured(act: () => Promise<void>): Promise<Pick<Figures, 'slowestMs' | 'longTaskMs'>> {
  await page.evaluate('window.slowest = { event: 0, longtask: 0 }');
  await act();
  // What was seen last is told a frame later.
  await page.waitForTimeout(400);
  const { event, longtask } = await page.evaluate<{ event: number; longtask: number }>('window.slowest');
  return { slowestMs: event, longTaskMs: Math.round(longtask) };
}

// The made-up broker adds up its roll-ups when it is first asked: that is not what is measured.
await page.goto(`${broker.url}#/traffic?span=month&by=caller`);
await page.getByText(/of \d+,\d+/).waitFor({ timeout: 60_000 });
await page.goto(`${broker.url}#/policy`);
await page.getByText(/ ago$/).first().waitFor({ timeout: 60_000 });
await page.goto('about:blank');
const startedMs = performance.now();
await page.goto(broker.url);
await page.waitForSelector('nav');
const firstMs = Math.round(performance.now() - startedMs);
const rows: (Figures & { readonly openMs?: number })[] = [];
for (const [view, { ready, steps }] of Object.entries(VIEWS)) {
  let openMs = 0;
  const opened = await measured(async () => {
    const clickedMs = performance.now();
    await page.getByRole('link', { name: view, exact: true }).click();
    await page.waitForSelector(ready, { timeout: 15_000 });
    openMs = Math.round(performance.now() - clickedMs);
  });
  rows.push({ view, what: 'open', ...opened, openMs });
  await page.waitForTimeout(1_500);
  for (const { what, act } of steps) rows.push({ view, what, ...(await measured(() => act(page))) });
}
await browser.close();
broker.close();
const worstMs = Math.max(...rows.map(({ slowestMs }) => slowestMs));
if (!values.json) {
  console.log(
    `${SIZE.accounts} accounts, ${SIZE.callers} callers, ${SIZE.exchanges} exchanges; first view after ${firstMs} ms`,
  );
  for (const { view, what, slowestMs, longTaskMs, openMs } of rows)
    console.log(
      `${view.padEnd(13)} ${what.padEnd(28)} slowest ${slowestMs < 16 ? 'under 16' : slowestMs} ms, longest task ${longTaskMs < 50 ? 'under 50' : longTaskMs} ms${openMs === undefined ? '' : `, rows after ${openMs} ms`}`,
    );
  console.log(
    `slowest interaction: ${worstMs} ms; errors: ${errors.length === 0 ? 'none' : errors.join(', ')}`,
  );
} else console.log(JSON.stringify({ size: SIZE, firstMs, rows, worstMs, errors }));
if (errors.length > 0) process.exitCode = 1;
