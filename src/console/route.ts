/**
 * Where in the console somebody is: `#/traffic?by=caller&resource=speech`. It is in the fragment, so that no name or
 * id that is looked at gets into a log or a referrer. Pure.
 */
export const VIEW_NAMES = [
  'accounts',
  'traffic',
  'policy',
  'revocations',
  'explain',
  'events',
  'record',
] as const;
export type ViewName = (typeof VIEW_NAMES)[number];

/** The filters of a view, as texts. */
export type Params = Readonly<Record<string, string>>;
export interface Route {
  readonly view: ViewName;
  readonly params: Params;
}

const isView = (name: string): name is ViewName => VIEW_NAMES.some((known) => known === name);

/** Whatever the fragment is, it is a place: an unknown one is the first view. */
export function readRoute(fragment: string): Route {
  const [, name = '', query = ''] = /^#\/([a-z]*)(?:\?(.*))?$/.exec(fragment) ?? [];
  return isView(name)
    ? { view: name, params: Object.fromEntries(new URLSearchParams(query)) }
    : { view: 'accounts', params: {} };
}

/** Filters that are empty are left out. */
export function linkTo(view: ViewName, params: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(params).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as [string, string]],
  );
  return `#/${view}${given.length === 0 ? '' : `?${new URLSearchParams(given)}`}`;
}
