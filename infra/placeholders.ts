/** The ids with which the policy and environments.json are shipped, where somebody has not written their own yet. */

/** Azure makes ids at random: one that begins with eight zeros, or has one digit only, was made up. */
const PLACEHOLDER =
  /\b(?:0{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|([0-9a-f])\1{7}(?:-\1{4}){3}-\1{12})\b/i;

/** @returns one problem for each text with such an id, with its path: `resources[0] (speech).accountId: …` */
export function placeholders(value: unknown, path = ''): string[] {
  if (typeof value === 'string') {
    const [id] = PLACEHOLDER.exec(value) ?? [];
    return id === undefined ? [] : [`${path}: ${id} is a placeholder; write your own`];
  }
  if (Array.isArray(value))
    return value.flatMap((entry, index) => placeholders(entry, `${path}[${index}]${nameOf(entry)}`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    placeholders(member, path === '' ? name : `${path}.${name}`),
  );
}

function nameOf(entry: unknown): string {
  const name = typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined;
  return typeof name === 'string' ? ` (${name})` : '';
}
