/** `/operator/demands`: what became of the wish for a rotation. */
import * as z from 'zod';
import { type DemandBook, demandShape } from '../../demand/demand.ts';
import { type Admit, AUDITOR } from '../../revocation/admit.ts';
import { problem } from '../problem.ts';
import { guarded, json } from './guard.ts';

export interface OperationPorts {
  readonly admit: Admit;
  readonly find: DemandBook['find'];
}

export function createOperationRoutes({ admit, find }: OperationPorts) {
  return {
    readDemand: guarded(admit, AUDITOR, async ({ params }) => {
      const id = z.guid().safeParse(params['id']);
      const found = id.success ? await find(id.data.toLowerCase()) : undefined;
      if (found === undefined) return problem(404, 'Not Found', 'no such demand');
      return json(200, demandShape.strip().parse(found));
    }),
  };
}
