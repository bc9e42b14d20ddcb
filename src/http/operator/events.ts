/** `GET /operator/events`: what came in, and what it did. */
import { type Admit, AUDITOR } from '../../revocation/admit.ts';
import type { Operate } from '../../revocation/operate.ts';
import { guarded, json } from './guard.ts';

export interface EventPorts {
  readonly admit: Admit;
  readonly operate: Pick<Operate, 'received' | 'effects'>;
}

export function createEventRoutes({ admit, operate }: EventPorts) {
  return {
    listEvents: guarded(admit, AUDITOR, async () =>
      json(200, {
        poison: await operate.received('poison'),
        signals: await operate.received('signal'),
        effects: await operate.effects(),
      }),
    ),
  };
}
