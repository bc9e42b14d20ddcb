/** The policy as a table of who (rows) and for what (columns). Cells are found when they are asked for. Pure. */

/** What of a policy is read here; it comes as its author wrote it. */
export interface WrittenPolicy {
  readonly resources?: readonly { readonly name: string; readonly tokenKinds: readonly string[] }[];
  readonly grants?: readonly WrittenGrant[];
}
interface WrittenGrant {
  readonly name: string;
  readonly shadow?: boolean;
  readonly callers: readonly Rule[];
  readonly resources: readonly string[];
  readonly tokenKinds: readonly string[];
  readonly maxLifetime: string;
  readonly rate?: { readonly count: number; readonly per: string };
}
type Rule = Readonly<Record<string, string | Readonly<Record<string, string>> | undefined>>;

/** Callers as one rule names them. */
export interface Subject {
  readonly key: string;
  /** What tells it from the others first, the tenant last. */
  readonly conditions: readonly (readonly [name: string, value: string])[];
  /** By which grants. */
  readonly grants: readonly string[];
}
/** What one grant gives the callers of a row for the resource of a column. */
export interface Given {
  readonly grant: string;
  readonly kinds: readonly string[];
  readonly maxLifetime: string;
  readonly rate: string;
  /** Tried only: it decides nothing. */
  readonly isShadow: boolean;
  /** The rule has further conditions that are tried only. */
  readonly tried: string;
}
export interface Matrix {
  readonly subjects: readonly Subject[];
  readonly resources: readonly string[];
  cell(subject: number, resource: number): readonly Given[];
  /** The columns in which the row has something. */
  given(subject: number): ReadonlySet<number>;
}

export function matrixOf({ resources = [], grants = [] }: WrittenPolicy): Matrix {
  const names = resources.map(({ name }) => name);
  const reach = grants.map((grant) => {
    const matches = matcherOf(grant.resources);
    return new Set(names.flatMap((name, place) => (matches(name) ? [place] : [])));
  });
  const subjects = new Map<
    string,
    { subject: Omit<Subject, 'grants'>; by: { grant: number; tried: string }[] }
  >();
  for (const [grant, { callers }] of grants.entries())
    for (const { shadow, ...rule } of callers) {
      const conditions = conditionsOf(rule).sort(bySharpness);
      const key = textOf(conditions);
      const known = subjects.get(key) ?? { subject: { key, conditions }, by: [] };
      known.by.push({ grant, tried: typeof shadow === 'object' ? textOf(conditionsOf(shadow)) : '' });
      subjects.set(key, known);
    }
  const rows = [...subjects.values()];
  return {
    subjects: rows.map(({ subject, by }) => ({
      ...subject,
      grants: by.flatMap(({ grant }) => grants[grant]?.name ?? []),
    })),
    resources: names,
    given: (subject) => new Set((rows[subject]?.by ?? []).flatMap(({ grant }) => [...(reach[grant] ?? [])])),
    cell: (subject, resource) =>
      (rows[subject]?.by ?? []).flatMap(({ grant, tried }) => {
        const [given, of] = [grants[grant], resources[resource]];
        if (given === undefined || of === undefined || !reach[grant]?.has(resource)) return [];
        const { name, tokenKinds, maxLifetime, rate, shadow } = given;
        const kinds = tokenKinds.filter((kind) => of.tokenKinds.includes(kind));
        const often = rate === undefined ? '' : `${rate.count} in ${rate.per}`;
        return [{ grant: name, kinds, maxLifetime, rate: often, isShadow: shadow === true, tried }];
      }),
  };
}

/** As the policy's patterns are read: a name, or a beginning of names with `*`. */
function matcherOf(patterns: readonly string[]): (name: string) => boolean {
  const whole = new Set(patterns);
  const starts = patterns.flatMap((pattern) => (pattern.endsWith('*') ? [pattern.slice(0, -1)] : []));
  return (name) => whole.has(name) || starts.some((start) => name.startsWith(start));
}

const conditionsOf = (rule: Rule) =>
  Object.entries(rule).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
/** What tells one caller from the others comes first. */
const SHARP = ['objectId', 'clientId', 'blueprint', 'group', 'appRole', 'scope', 'tenant'];
const bySharpness = ([one]: readonly [string, string], [other]: readonly [string, string]): number =>
  SHARP.indexOf(one) - SHARP.indexOf(other);
const textOf = (conditions: Subject['conditions']): string =>
  conditions.map(([name, value]) => `${name} ${value}`).join(', ');

/** Which rows, or columns, hold the text. Without one it is all of them. */
export function holding(texts: readonly string[], find: string): readonly number[] {
  const wanted = find.trim().toLowerCase();
  return texts.flatMap((text, place) => (text.toLowerCase().includes(wanted) ? [place] : []));
}
