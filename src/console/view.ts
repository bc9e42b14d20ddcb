/** What each view is given. */
import type { VNode } from 'preact';
import type { Api } from './api.ts';
import type { Route } from './route.ts';

export interface ViewProps {
  readonly api: Api;
  readonly route: Route;
  /** Puts other filters of the same view in the address; the view is rendered again with them. */
  readonly filter: (params: Readonly<Record<string, string | undefined>>) => void;
  /** The broker's time in milliseconds; ticks once a second. */
  readonly now: number;
  /** Whether this person may act. The broker decides; this only says which buttons to offer. */
  readonly mayAct: boolean;
}
export type View = (props: ViewProps) => VNode;
