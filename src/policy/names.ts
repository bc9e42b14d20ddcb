/** Finds what a grant's patterns name among thousands of resources, without a look at each of them. */

interface Place<Entry> {
  readonly name: string;
  readonly index: number;
  readonly entry: Entry;
}

/** @returns for a name, or a prefix with a star at its end, the entries in their own order */
export function byName<Entry>(
  entries: readonly (readonly [name: string, entry: Entry])[],
): (pattern: string) => readonly Entry[] {
  const all = entries.map(([name, entry], index): Place<Entry> => ({ name, index, entry }));
  // By code units, as `startsWith` compares, so that what begins alike is together.
  const sorted = [...all].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  /** The first place whose name is not before the text. */
  const from = (text: string): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle]?.name ?? '') < text) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return (pattern) => {
    if (pattern === '*') return all.map(({ entry }) => entry);
    const isPrefix = pattern.endsWith('*');
    const text = isPrefix ? pattern.slice(0, -1) : pattern;
    const hits: Place<Entry>[] = [];
    for (let at = from(text); ; at += 1) {
      const place = sorted[at];
      if (place === undefined || !(isPrefix ? place.name.startsWith(text) : place.name === text)) break;
      hits.push(place);
    }
    return hits.sort((one, other) => one.index - other.index).map(({ entry }) => entry);
  };
}
