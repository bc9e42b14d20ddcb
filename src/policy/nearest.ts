/** The known name that somebody probably meant when they wrote another one, for "did you mean". */

/**
 * Case, blanks and signs do not count. A name that contains the other one is near (`Azure OpenAI` and `OpenAI`), and
 * so is one that differs in at most a third of its letters.
 */
export function nearest(wrong: string, known: Iterable<string>): string | undefined {
  const letters = bare(wrong);
  if (letters === '') return undefined;
  const ranked = [...known]
    .map((name) => ({ name, distance: distance(letters, bare(name)) }))
    .sort((one, other) => one.distance - other.distance);
  return ranked.find(({ name, distance }) => {
    const [short = '', long = ''] = [letters, bare(name)].sort((one, other) => one.length - other.length);
    return (
      distance <= Math.max(1, Math.floor(letters.length / 3)) || (short.length > 3 && long.includes(short))
    );
  })?.name;
}

/** `; did you mean "x"?`, or else what follows when nothing is near. */
export function didYouMean(wrong: string, known: Iterable<string>, otherwise = ''): string {
  const near = nearest(wrong, known);
  return near === undefined ? otherwise : `; did you mean "${near}"?`;
}

const MAX_COMPARED = 100;
const bare = (name: string): string =>
  name
    .slice(0, MAX_COMPARED)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** The least number of letters to add, take away or change (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (let at = 1; at <= to.length; at += 1)
      next.push(
        Math.min(
          (row[at] ?? 0) + 1,
          (next[at - 1] ?? 0) + 1,
          (row[at - 1] ?? 0) + (to[at - 1] === letter ? 0 : 1),
        ),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
