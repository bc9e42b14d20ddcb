/**
 * Carries out one act of an operator: it is claimed, begun, done, put into the audit and ended, in this order. The
 * act itself is safe to repeat, so whoever meets an outage or a lost answer sends the same request again, and with the
 * same Idempotency-Key it happens once.
 */
import { iso } from '../iso.ts';
import type { AuditLog, AuditRecord, Caller, Clock } from '../ports.ts';
import { sha256 } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import type { Act, Begun, OperationBook } from './operation.ts';

export interface PerformDeps {
  readonly book: OperationBook;
  readonly audit: AuditLog;
  readonly clock: Clock;
  /** A UUID of version 7 with this time. */
  readonly newId: (nowMs: number) => string;
  readonly instance: string;
}
export interface Order {
  readonly act: Act;
  readonly target: string;
  readonly reason: string;
  readonly by: Caller;
  readonly correlationId: string;
  /** The Idempotency-Key, and the request that it belongs to. */
  readonly key?: { readonly text: string; readonly request: string } | undefined;
}
export type Result = Readonly<Record<string, unknown>>;
export type Performed =
  | { readonly kind: 'done'; readonly operation: string; readonly result: Result }
  /** The key was used for another request. */
  | { readonly kind: 'key_reused' };

/**
 * @param work does the act; it may be called again with the same beginning, and must then lead to the same end.
 * `later`: the act goes on after the answer
 * @throws UpstreamFailure
 */
export type Perform = (order: Order, work: (begun: Begun) => Promise<Result | 'later'>) => Promise<Performed>;

export function createPerform({ book, audit, clock, newId, instance }: PerformDeps): Perform {
  const record = ({ act, target, reason, by, correlationId }: Order, rest: Partial<AuditRecord>) =>
    audit.append({
      at: iso(clock()),
      instance,
      correlationId,
      outcome: 'done',
      tenantId: by.tenantId,
      clientId: by.clientId,
      objectId: by.objectId,
      uti: by.uti,
      act,
      target,
      reason,
      ...rest,
    });

  return async (order, work) => {
    const { act, target, reason, by, key } = order;
    const nowMs = clock();
    const fresh = { id: newId(nowMs), at: iso(nowMs) };
    const request = key === undefined ? '' : sha256(key.request);
    const claim =
      key === undefined
        ? fresh
        : await book.claim(sha256(`${by.tenantId} ${by.objectId} ${key.text}`), { ...fresh, request });
    if ('request' in claim && claim.request !== request) {
      await record(order, { outcome: 'refused', problem: 'its Idempotency-Key belongs to another request' });
      return { kind: 'key_reused' };
    }
    const operation = claim.id;
    const earlier = claim.id === fresh.id ? undefined : await book.find(operation);
    if (earlier?.ended !== undefined) {
      await record(order, { operation, outcome: 'refused', problem: 'repeated: answered as the first time' });
      return { kind: 'done', operation, result: earlier.ended.result };
    }
    const begun: Begun = { id: operation, act, target, by: by.objectId, reason, at: claim.at };
    await book.begin(begun);
    let result: Result | 'later';
    try {
      result = await work(begun);
    } catch (error) {
      // Where the audit is out of reach too, the operation itself shows that it was interrupted.
      if (error instanceof UpstreamFailure)
        await Promise.allSettled([
          record(order, { operation, outcome: 'failed', problem: `${error.service} is not answering` }),
        ]);
      throw error;
    }
    await record(order, { operation });
    // Of a rotation this only says that it was placed, so that the same request does not place it again.
    const kept = result === 'later' ? {} : result;
    await book.end(operation, { at: iso(clock()), result: kept });
    return { kind: 'done', operation, result: kept };
  };
}
