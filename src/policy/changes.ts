/** What differs between two policies, in sentences: first who gains or loses what, then every other member. */
import { accessDifference, inSentence } from './difference.ts';
import type { Policy } from './schema.ts';

/**
 * @param most the first so many are told, and then how many more there are
 * @returns an empty list exactly when the two say the same, in whatever order their members are
 */
export function changesInWords(before: Policy, after: Policy, most = MAX_TOLD): readonly string[] {
  const members = LISTS.flatMap(([list, what]) => listChanges(what, before[list], after[list]));
  const access = accessDifference(before, after);
  const told = [...access.slice(0, most).map(inSentence), ...members].slice(0, most);
  const more = access.length + members.length - told.length;
  return more > 0 ? [...told, `and ${more} more`] : told;
}
const MAX_TOLD = 1_000;

const LISTS = [
  ['tenants', 'tenant'],
  ['resources', 'resource'],
  ['grants', 'grant'],
  ['transmitters', 'transmitter'],
] as const;

interface Named {
  readonly name: string;
}

function listChanges(what: string, before: readonly Named[], after: readonly Named[]): string[] {
  const old = new Map(before.map((entry) => [entry.name, entry]));
  const new_ = new Map(after.map((entry) => [entry.name, entry]));
  const kept = before.filter(({ name }) => new_.has(name)).map(({ name }) => name);
  const isMoved = after.filter(({ name }) => old.has(name)).some(({ name }, index) => name !== kept[index]);
  return [
    ...before.filter(({ name }) => !new_.has(name)).map(({ name }) => `the ${what} ${name} is gone`),
    ...after.filter(({ name }) => !old.has(name)).map(({ name }) => `the ${what} ${name} is new`),
    ...kept.flatMap((name) =>
      memberChanges('', old.get(name), new_.get(name)).map((change) => `the ${what} ${name}: ${change}`),
    ),
    // Of several grants that apply the first one counts.
    ...(isMoved ? [`the ${what}s are in another order`] : []),
  ];
}

function memberChanges(path: string, before: unknown, after: unknown): string[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      memberChanges(path === '' ? name : `${path}.${name}`, before[name], after[name]),
    );
  }
  const [was, is] = [text(before), text(after)];
  return was === is ? [] : [`${path} was ${was} and is ${is}`];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members in the order of their names, because their order means nothing. */
function text(value: unknown): string {
  if (value === undefined) return 'absent';
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
