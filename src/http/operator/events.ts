/** `GET /operator/events`: what came in, and what it did, the newest first. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { AUDITOR } from '../../revocation/admit.ts';
import type { Operate } from '../../revocation/operate.ts';
import type { EventRecord } from '../../revocation/ports.ts';
import { badRequest, json, PAGE, pageOf, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';

export interface EventPorts {
  readonly gate: Gate;
  readonly operate: Pick<Operate, 'received' | 'effects'>;
}
/** `effect`: a revocation was in force. `signal`: a Security Event Token. `poison`: it could not be used. */
type Event = EventRecord & { readonly kind: 'effect' | 'signal' | 'poison'; readonly at: string };

export function createEventRoutes({ gate, operate }: EventPorts) {
  async function list(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const [effects, signals, poison] = await Promise.all([
      operate.effects(),
      operate.received('signal'),
      operate.received('poison'),
    ]);
    const of = (kind: Event['kind'], records: readonly EventRecord[]) =>
      records.map((record): Event => ({ ...record, kind, at: record['receivedAt'] ?? '' }));
    const all = [...of('effect', effects), ...of('signal', signals), ...of('poison', poison)];
    const sorted = all.toSorted((one, other) => (orderOf(one) < orderOf(other) ? 1 : -1));
    const { after } = page;
    const rest = after === undefined ? sorted : sorted.filter((event) => orderOf(event) < after);
    return json(200, pageOf(rest, page.limit, orderOf));
  }
  return { listEvents: guarded(gate, { role: AUDITOR, act: 'read events', query: PAGE }, list) };
}

/** By time; of the same moment by what tells them apart. */
const orderOf = ({ at, kind, key, content, id }: Event): string =>
  `${at} ${kind} ${key ?? content ?? id ?? ''}`;
