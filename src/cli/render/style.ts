/** Colour, where somebody looks and has not asked for none: https://no-color.org */
import type { Output, World } from '../world.ts';

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
}

const plain = (text: string): string => text;
/** The sixteen colours of the terminal's own theme, so that they can be read on a light and on a dark ground. */
const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[${code < 10 ? 22 : 39}m`;

export function styleFor({ env }: Pick<World, 'env'>, { isTerminal }: Output): Style {
  const isWanted = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (!isWanted) return { bold: plain, dim: plain, good: plain, warn: plain, bad: plain };
  return { bold: sgr(1), dim: sgr(2), good: sgr(32), warn: sgr(33), bad: sgr(31) };
}
