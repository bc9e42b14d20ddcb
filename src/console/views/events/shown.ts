/** What came in, in the words of the list. Pure. */
import type { Params } from '../../route.ts';
import type { BrokerEvent } from '../../wire.ts';

export const KINDS = {
  effect: { title: 'In force', tone: 'good' },
  signal: { title: 'Signal', tone: '' },
  poison: { title: 'Not understood', tone: 'bad' },
} as const;
export type EventKind = keyof typeof KINDS;

export interface ShownEvent {
  readonly id: string;
  readonly kind: EventKind;
  readonly at: string;
  /** Whom or what it is about. */
  readonly about: string;
  /** What it did, or why nothing came of it. */
  readonly did: string;
  readonly from: string;
  /** Everything that is kept of it. */
  readonly all: readonly (readonly [name: string, value: string])[];
}

export const readKind = ({ kind }: Params): EventKind | undefined =>
  kind !== undefined && Object.hasOwn(KINDS, kind) ? (kind as EventKind) : undefined;

export function shownEvent(event: BrokerEvent): ShownEvent {
  const { kind, at, ...kept } = event;
  const { key, type, types, subject, reason, why, outcome, source, transmitter, receivedAt, inForceAt } =
    kept;
  const tookMs = Date.parse(inForceAt ?? '') - Date.parse(receivedAt ?? '');
  const took = Number.isNaN(tookMs) ? '' : ` (in force after ${tookMs} ms)`;
  return {
    id: `${at} ${kind} ${key ?? kept['content'] ?? kept['id'] ?? ''}`,
    kind,
    at,
    about: key ?? [types ?? type, subject].filter(Boolean).join(' '),
    did: `${why ?? outcome ?? reason ?? ''}${took}`,
    from: source ?? transmitter ?? '',
    all: Object.entries(kept),
  };
}

/** @param find any part of what is kept */
export function wantedEvents(
  events: readonly ShownEvent[],
  kind: EventKind | undefined,
  find = '',
): readonly ShownEvent[] {
  const text = find.trim().toLowerCase();
  return events.filter(
    (event) =>
      (kind === undefined || event.kind === kind) &&
      (text === '' || event.all.some(([, value]) => value.toLowerCase().includes(text))),
  );
}
