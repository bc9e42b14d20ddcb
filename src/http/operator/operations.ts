/** `/operator/operations`: every act of an operator, and what came of it. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import type { Follow } from '../../operations/follow.ts';
import { AUDITOR } from '../../revocation/admit.ts';
import { problem } from '../problem.ts';
import { badRequest, json, PAGE, pageOf, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';

export interface OperationPorts {
  readonly gate: Gate;
  readonly follow: Follow;
}
const idShape = z.guid().toLowerCase();

export function createOperationRoutes({ gate, follow }: OperationPorts) {
  async function listOperations(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const after = idShape.optional().safeParse(page.after);
    if (!after.success) return badRequest('after must be the next of the page before');
    return json(
      200,
      pageOf(await follow.list(after.data, page.limit + 1), page.limit, ({ id }) => id),
    );
  }
  const read = { role: AUDITOR, act: 'read operations' } as const;
  return {
    listOperations: guarded(gate, { ...read, query: PAGE }, listOperations),
    readOperation: guarded(gate, read, async ({ params }) => {
      const id = idShape.safeParse(params['id']);
      const found = id.success ? await follow.find(id.data) : undefined;
      return found === undefined ? problem(404, 'Not Found', 'no such operation') : json(200, found);
    }),
  };
}
