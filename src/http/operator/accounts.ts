/** `/operator/accounts`: the state of each account's keys, what was done with them, and the acts on their rotation. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Wish } from '../../demand/place.ts';
import { type Invalid, invalid } from '../../invalid.ts';
import type { Perform } from '../../operations/perform.ts';
import type { Slot } from '../../ports.ts';
import { AUDITOR } from '../../revocation/admit.ts';
import type { Planned } from '../../rotation/planned.ts';
import type { Pauses } from '../../rotation/ports.ts';
import { problem } from '../problem.ts';
import { acting, type Read } from './acts.ts';
import { badRequest, hasMembers, json, PAGE, pageOf, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';

export interface AccountPorts {
  readonly gate: Gate;
  readonly perform: Perform;
  readonly planned: Pick<Planned, 'accounts' | 'account' | 'history'>;
  readonly pauses: Pick<Pauses, 'say'>;
  readonly place: (wish: Wish) => Promise<unknown>;
  /** The account's key in the tables (account-key.ts); undefined: the keys of this resource are not rotated. */
  readonly rotated: (resource: string) => string | undefined;
}

/** `next` of a history: the fence of a step. */
const FENCE = /^\d{1,10}$/;

export function createAccountRoutes({ gate, perform, planned, pauses, place, rotated }: AccountPorts) {
  async function list(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    const { after = '' } = page;
    const accounts = (await planned.accounts()).toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const rest = accounts.filter(({ name }) => name > after);
    return json(
      200,
      pageOf(rest, page.limit, ({ name }) => name),
    );
  }
  async function one({ params }: HttpRequest): Promise<HttpResponseInit> {
    const name = params['name'] ?? '';
    const account = await planned.account(name);
    if (account === undefined) return absent();
    // The last step with measured lags is among the last ones of a rotation.
    const steps = account.rotates ? await planned.history(name, LAST_STEPS, undefined) : [];
    const lagged = steps?.find(
      ({ newKeyLagMs, oldKeyLagMs }) => newKeyLagMs !== undefined || oldKeyLagMs !== undefined,
    );
    const lags = lagged && {
      at: lagged.at,
      newKeyLagMs: lagged.newKeyLagMs,
      oldKeyLagMs: lagged.oldKeyLagMs,
    };
    return json(200, lags === undefined ? account : { ...account, lags });
  }
  async function history(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    if (page.after !== undefined && !FENCE.test(page.after))
      return badRequest('after must be the next of the page before');
    const before = page.after === undefined ? undefined : Number(page.after);
    const steps = await planned.history(request.params['name'] ?? '', page.limit + 1, before);
    if (steps === undefined) return absent();
    const { items, next } = pageOf(steps, page.limit, ({ fence }) => String(fence));
    return json(200, {
      items: items.map(({ fence: _, ...step }) => step),
      ...(next !== undefined && { next }),
    });
  }
  /** Pause and resume differ in one word that is stored; both are answered with the account. */
  const said = (act: 'pause' | 'resume') =>
    acting(gate, perform, act, async (body, { params }) => {
      const name = params['name'] ?? '';
      const account = rotated(name);
      if (account === undefined) return absent();
      if (hasMembers(body)) return invalid('the body has no other member than reason');
      const read: Read = {
        target: name,
        work: async ({ at, reason }, { objectId: by }) => {
          await pauses.say(account, { paused: act === 'pause', by, reason, at });
          return { ...(await planned.account(name)) };
        },
        answer: (operation, result) => json(200, { ...result, operation }),
      };
      return read;
    });
  const see = { role: AUDITOR, act: 'read accounts' } as const;
  return {
    listAccounts: guarded(gate, { ...see, query: PAGE }, list),
    readAccount: guarded(gate, see, one),
    readHistory: guarded(gate, { ...see, query: PAGE }, history),
    pause: said('pause'),
    resume: said('resume'),
    rotate: acting(gate, perform, 'rotate', async (body, { params }) => {
      const resource = params['name'] ?? '';
      const account = rotated(resource);
      if (account === undefined) return absent();
      const wanted = readRotation(body);
      if ('problem' in wanted) return wanted;
      return {
        target: resource,
        work: async ({ id, at, reason }, { objectId: who }, correlationId) => {
          await place({ id, at, resource, account, who, correlationId, reason, ...wanted });
          return 'later';
        },
        answer: (operation) => json(202, { operation }, { location: `/operator/operations/${operation}` }),
      };
    }),
  };
}

const LAST_STEPS = 20;
const absent = (): HttpResponseInit =>
  problem(404, 'Not Found', 'no such account in the policy, or its keys are not rotated');

function readRotation(
  body: Readonly<Record<string, unknown>>,
): { readonly slot?: Slot; readonly emergency: boolean } | Invalid {
  const { slot, emergency = false, ...others } = body;
  if (hasMembers(others)) return invalid('the body has no other members than slot, emergency and reason');
  if (slot !== undefined && slot !== 'Key1' && slot !== 'Key2') return invalid('slot must be Key1 or Key2');
  if (typeof emergency !== 'boolean') return invalid('emergency must be true or false');
  return { ...(slot === undefined ? {} : { slot }), emergency };
}
