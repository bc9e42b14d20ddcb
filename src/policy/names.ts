/** Finds which names a pattern matches, and which patterns match a name, without a look at each of thousands. */

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

/**
 * @returns for a name, the entries with a pattern that matches it: one set for each such pattern, so an entry may be in
 * several. Resources that a pattern matches share its set, so what is kept does not grow with their number.
 */
export function byPattern<Entry>(
  entries: readonly (readonly [patterns: readonly string[], entry: Entry])[],
): (name: string) => readonly ReadonlySet<Entry>[] {
  const having = new Map<string, Set<Entry>>();
  const lengths = new Set<number>();
  for (const [patterns, entry] of entries)
    for (const pattern of patterns) {
      if (pattern.endsWith('*')) lengths.add(pattern.length - 1);
      const known = having.get(pattern);
      if (known === undefined) having.set(pattern, new Set([entry]));
      else known.add(entry);
    }
  return (name) => {
    const candidates = [...lengths].filter((length) => length <= name.length);
    return [name, ...candidates.map((length) => `${name.slice(0, length)}*`)].flatMap(
      (pattern) => having.get(pattern) ?? [],
    );
  };
}
