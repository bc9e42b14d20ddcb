/** The console's views, of a local mode that is started for them: light, dark and at a phone's width. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchBrowser, newPage, noBrowser, signIn } from '../console/browser.ts';
import { tell } from '../console/story.ts';
import { startLocal } from '../local/local-mode.ts';

const DESK = { width: 1280, height: 800 };
const LOOKS = [
  { name: 'light', colorScheme: 'light', viewport: DESK },
  { name: 'dark', colorScheme: 'dark', viewport: DESK },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;
/** A rotation of the demo takes some twenty minutes. In each look one is under way. */
const SPEED = '60';
const BEGUN_MS = 14_000;
const SETTLED_MS = 1_500;

/** @throws Error where there is no browser, or where the page complained of something */
export async function recordConsole(folder: string): Promise<void> {
  if (noBrowser !== false) throw new Error(noBrowser);
  await using local = await startLocal(['--speed', SPEED]);
  const { description } = local;
  const { refused, act } = await tell(description);
  const places = {
    accounts: '',
    account: '?account=speech',
    traffic: '',
    policy: '',
    revocations: '',
    explain: `?correlation=${refused}`,
    events: '',
    record: '',
  };
  const browser = await launchBrowser();
  try {
    for (const { name, ...look } of LOOKS) {
      await act('speech');
      await sleep(BEGUN_MS);
      const { page, complaints } = await newPage(browser, look);
      await signIn(page, description.console, 'operator');
      for (const [view, query] of Object.entries(places)) {
        await page.goto(`${description.console}#/${view === 'account' ? 'accounts' : view}${query}`);
        await sleep(SETTLED_MS);
        // What has the focus is no part of the view.
        await page.evaluate('document.activeElement.blur()');
        await page.screenshot({
          path: join(folder, `console-${view}-${name}.png`),
          fullPage: name === 'phone',
        });
      }
      if (complaints.length > 0) throw new Error(`${name}: ${complaints.join('\n')}`);
      await page.context().close();
    }
  } finally {
    await browser.close();
  }
}
