/** What every act of an operator shares on the wire: a reason, an Idempotency-Key, and an operation to follow. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Invalid } from '../../invalid.ts';
import { type Act, type Begun, readReason } from '../../operations/operation.ts';
import type { Perform, Result } from '../../operations/perform.ts';
import type { Caller } from '../../ports.ts';
import { OPERATOR } from '../../revocation/admit.ts';
import { parseStrictObject } from '../../strict-json.ts';
import { problem } from '../problem.ts';
import { badRequest, NO_OBJECT } from './body.ts';
import { type Gate, guarded } from './gate.ts';

/** What an act is about, read from its request; nothing is done yet. */
export interface Read {
  readonly target: string;
  readonly work: (begun: Begun, caller: Caller, correlationId: string) => Promise<Result | 'later'>;
  readonly answer: (operation: string, result: Result) => HttpResponseInit;
}
/** Long enough for any UUID, and bounded because a stranger to this code chooses it. */
const KEY = /^[\x21-\x7e]{1,128}$/;

/** @param read what the body's other members than `reason` mean; an answer where they mean nothing */
export function acting(
  gate: Gate,
  perform: Perform,
  act: Act,
  read: (
    body: Readonly<Record<string, unknown>>,
    request: HttpRequest,
  ) => Promise<Read | Invalid | HttpResponseInit>,
) {
  return guarded(gate, { role: OPERATOR, act }, async (request, caller, correlationId) => {
    const key = request.headers.get('idempotency-key');
    if (key !== null && !KEY.test(key))
      return badRequest('Idempotency-Key must be 1 to 128 visible ASCII characters');
    const text = await request.text();
    const body = parseStrictObject(text);
    if (body === 'unreadable') return badRequest(NO_OBJECT);
    const { reason: given, ...members } = body;
    const wanted = await read(members, request);
    if ('problem' in wanted) return badRequest(wanted.problem);
    if (!('work' in wanted)) return wanted;
    const reason = readReason(given);
    if (typeof reason !== 'string') return badRequest(reason.problem);
    const performed = await perform(
      {
        act,
        target: wanted.target,
        reason,
        by: caller,
        correlationId,
        key: key === null ? undefined : { text: key, request: `${act} ${wanted.target} ${text}` },
      },
      (begun) => wanted.work(begun, caller, correlationId),
    );
    if (performed.kind === 'key_reused')
      return problem(
        422,
        'Unprocessable Content',
        'this Idempotency-Key was used for another request: a new act needs a new one',
      );
    return wanted.answer(performed.operation, performed.result);
  });
}
