import type { Spread } from './load.ts';

/** Each figure on a line of its own, and each case of a figure that has several. */
export function print(title: string, value: unknown, indent = '  '): void {
  if (!isGroup(value)) {
    console.log(`${indent}${title.padEnd(24)}${said(value)}`);
    return;
  }
  const entries = Object.entries(value);
  if (entries.some(([, each]) => isGroup(each))) {
    console.log(`${indent}${title}`);
    for (const [name, each] of entries) print(name, each, `${indent}  `);
  } else {
    const cells = entries.map(([name, each]) => `${name} ${said(each)}`);
    console.log(`${indent}${title.padEnd(24)}${cells.join(' · ')}`);
  }
}

const isGroup = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isSpread(value);

function isSpread(value: unknown): value is Spread {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'min,median,max';
}

/** Of several runs the least, the middle and the most. */
const said = (value: unknown): string =>
  isSpread(value) ? `${value.min}/${value.median}/${value.max}` : String(value);
