/**
 * `npm run pictures`: makes the pictures of the console that the documents show, of a local mode that it starts, in
 * light, dark and at a phone's width. They are to be looked at before they are committed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VIEW_NAMES } from '../../src/console/route.ts';
import { startLocal } from '../../src/local/drive/local-mode.ts';
import { launchBrowser, newPage, noBrowser, signIn } from './browser.ts';
import { tell } from './story.ts';

const FOLDER = join(import.meta.dirname, '../../.github/pictures');
const DESK = { width: 1280, height: 800 };
const LOOKS = [
  { name: 'light', colorScheme: 'light', viewport: DESK },
  { name: 'dark', colorScheme: 'dark', viewport: DESK },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;
/** A demo's rotation takes half an hour, of which this is some. */
const SPEED = 60;
const SETTLED_MS = 1_500;

if (noBrowser !== false) {
  console.error(noBrowser);
  process.exit(1);
}
mkdirSync(FOLDER, { recursive: true });
await using local = await startLocal(['--speed', String(SPEED)]);
const { description } = local;
const { refused } = await tell(description);
const browser = await launchBrowser();
try {
  // The second key of an account is being made while the pictures are.
  await sleep(20_000);
  for (const { name, ...look } of LOOKS) {
    const { page, complaints } = await newPage(browser, look);
    await signIn(page, `${description.broker}/console`, 'operator');
    for (const view of VIEW_NAMES) {
      const query = view === 'explain' ? `?id=${refused}` : '';
      await page.goto(`${description.broker}/console#/${view}${query}`);
      await sleep(SETTLED_MS);
      await page.screenshot({ path: join(FOLDER, `${view}-${name}.png`), fullPage: name === 'phone' });
    }
    for (const complaint of complaints) console.error(`${name}: ${complaint}`);
    await page.context().close();
  }
} finally {
  await browser.close();
}
console.log(`${LOOKS.length * VIEW_NAMES.length} pictures in .github/pictures`);
