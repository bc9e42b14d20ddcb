import { readFileSync } from 'node:fs';

/** A model payload of test/samples. */
// biome-ignore lint/suspicious/noExplicitAny: payloads are whatever they are; tests take them apart.
export function sample(name: string): any {
  return JSON.parse(readFileSync(new URL(`../samples/${name}.json`, import.meta.url), 'utf8'));
}
