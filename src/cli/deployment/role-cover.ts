/** Which permission names are covered by others. Azure compares them without case; `*` stands for any text. */
import type { RoleDefinition } from './evidence.ts';

export interface Permissions {
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

/** Whether everything that `asked` names is named by `pattern` too. A `*` in `asked` is covered by one in `pattern` only. */
export function covers(pattern: string, asked: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const text = asked.toLowerCase();
  const [first = '', ...rest] = parts;
  if (!text.startsWith(first)) return false;
  const last = rest.pop();
  if (last === undefined) return text === first;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}

const isNamedBy = (patterns: readonly string[], asked: string): boolean =>
  patterns.some((pattern) => covers(pattern, asked));

/** What `held` names and `allowed` does not. */
export function beyond(held: Permissions, allowed: readonly Permissions[]): readonly string[] {
  const of = (kind: keyof Permissions) => {
    const patterns = allowed.flatMap((each) => each[kind]);
    return held[kind].filter((action) => !isNamedBy(patterns, action));
  };
  return [...of('actions'), ...of('dataActions')];
}

/** What a definition names, without what it takes back whole. */
export function permissionsOf({ properties: { permissions } }: RoleDefinition): Permissions {
  return {
    actions: permissions.flatMap(({ actions, notActions }) =>
      actions.filter((action) => !isNamedBy(notActions, action)),
    ),
    dataActions: permissions.flatMap(({ dataActions, notDataActions }) =>
      dataActions.filter((action) => !isNamedBy(notDataActions, action)),
    ),
  };
}

/** What is needed and not given: a pattern that is taken back in part does not give that part. */
export function lacking(needed: Permissions, definitions: readonly RoleDefinition[]): readonly string[] {
  const all = definitions.flatMap(({ properties }) => properties.permissions);
  const gives = (action: string, kind: keyof Permissions) =>
    all.some((each) => {
      const taken = kind === 'actions' ? each.notActions : each.notDataActions;
      return isNamedBy(each[kind], action) && !isNamedBy(taken, action);
    });
  return [
    ...needed.actions.filter((action) => !gives(action, 'actions')),
    ...needed.dataActions.filter((action) => !gives(action, 'dataActions')),
  ];
}

/** Whether what is given at `above` holds at `scope`. */
export function isWithin(scope: string, above: string): boolean {
  return `${scope}/`.toLowerCase().startsWith(`${above.replace(/\/+$/, '')}/`.toLowerCase());
}
