/** Two ways to do the same in the console: with a mouse, and by keyboard alone. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

type Role = 'button' | 'link' | 'checkbox';
export interface Hand {
  readonly name: string;
  /** Pushes a button, follows a link, ticks a box. */
  press(role: Role, name: string | RegExp): Promise<void>;
  /** Replaces what is in a field. */
  write(label: string, text: string): Promise<void>;
  choose(label: string, option: string): Promise<void>;
}

const fieldOf = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true }).first();
const choiceOf = (page: Page, name: string) => page.getByRole('combobox', { name, exact: true }).first();

export const mouse = (page: Page): Hand => ({
  name: 'mouse',
  press: (role, name) =>
    page
      .getByRole(role, { name, exact: typeof name === 'string' })
      .first()
      .click(),
  write: (label, text) => fieldOf(page, label).fill(text),
  choose: async (label, option) => {
    await choiceOf(page, label).selectOption({ label: option });
  },
});

const MOST_TABS = 200;
const IS_FOCUSED = 'document.activeElement';

/** Never touches the mouse, and never sets the focus but with Tab. */
export function keyboard(page: Page): Hand {
  const reach = async (wanted: Locator): Promise<void> => {
    await wanted.waitFor();
    for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
      const handle = await page.evaluateHandle(IS_FOCUSED);
      const same = await wanted.evaluate((element, focused) => element === focused, handle);
      if (same) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${MOST_TABS} times Tab do not lead to ${wanted}`);
  };
  return {
    name: 'keyboard',
    async press(role, name) {
      await reach(page.getByRole(role, { name, exact: typeof name === 'string' }).first());
      await page.keyboard.press(role === 'checkbox' ? 'Space' : 'Enter');
    },
    async write(label, text) {
      await reach(fieldOf(page, label));
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.insertText(text);
    },
    async choose(label, option) {
      await reach(choiceOf(page, label));
      await page.keyboard.type(option);
    },
  };
}
