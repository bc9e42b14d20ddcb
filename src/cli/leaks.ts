/** Which of the broker's accounts the keys in some texts open. */
import type { Account } from '../rotation/shown.ts';
import { keysIn, type Place } from './key-shapes.ts';

export interface Found {
  /** The first 16 hexadecimal digits of the key's SHA-256: all that is ever said of it. */
  readonly fingerprint: string;
  readonly account: string;
  readonly slot: string;
  readonly state: string;
  /** Some of them: a history repeats a key in every commit that touches its line. */
  readonly places: readonly Place[];
}
export interface Input {
  readonly name: string | undefined;
  readonly stream: AsyncIterable<Buffer | string>;
}

const MOST_PLACES = 20;

/** @returns beside what was found, how many texts have the shape of a key and open none of the accounts today */
export async function leaksIn(
  inputs: readonly Input[],
  accounts: readonly Account[],
): Promise<{ readonly found: readonly Found[]; readonly others: number }> {
  const known = new Map(
    accounts.flatMap(({ name, slots = [] }) =>
      slots.flatMap(({ slot, state, fingerprint }) =>
        fingerprint === undefined ? [] : [[fingerprint, { account: name, slot, state }] as const],
      ),
    ),
  );
  const found = new Map<string, Found & { readonly places: Place[] }>();
  let others = 0;
  for (const { name, stream } of inputs)
    for await (const { fingerprint, place } of keysIn(stream, name)) {
      const opens = known.get(fingerprint);
      if (opens === undefined) {
        others += 1;
        continue;
      }
      const one = found.get(fingerprint) ?? { fingerprint, ...opens, places: [] };
      if (one.places.length < MOST_PLACES) one.places.push(place);
      found.set(fingerprint, one);
    }
  return { found: [...found.values()], others };
}
