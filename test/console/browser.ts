/** A Chromium to open the console in, and everything that it complains of on the way. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'microsoft-edge'];
const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find((file) => existsSync(file));

/** For a test's `skip`: false, or why it is skipped and what would run it. */
export const noBrowser: string | false =
  executablePath === undefined && 'no Chromium on PATH; to have one: sudo apt-get install chromium';

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    // Chromium refuses its sandbox to the user root, which continuous integration often is.
    args: ['--no-sandbox'],
  });

export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the page's console, exceptions, and violations of its security policy. */
  readonly complaints: string[];
}

export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    const { url } = message.location();
    if (['error', 'warning'].includes(message.type()))
      complaints.push(`${message.type()}: ${message.text()} (${url})`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  await page.exposeFunction('complain', (what: string) => complaints.push(what));
  // Text, because this program is compiled without the types of a browser.
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    complain('violation of ' + event.violatedDirective + ': ' + event.blockedURI));`);
  return { page, complaints };
}

/** Opens the console at a place in it, and signs in as one of the demo's people. */
export async function signIn(
  page: Page,
  console: string,
  person: 'operator' | 'auditor',
  place = '',
): Promise<void> {
  await page.goto(`${console}${place}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: person, exact: true }).click();
  await page.getByRole('navigation', { name: 'Views' }).waitFor();
}
