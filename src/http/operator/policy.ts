/**
 * `/operator/policy`: the policy in force, who put it in force and why, and the two ways to change it: a publisher's
 * change, which comes from a repository, and an operator's way back.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { iso } from '../../iso.ts';
import { readReason } from '../../operations/operation.ts';
import { applyPatch } from '../../policy/apply-patch.ts';
import type { InForce, PolicyStore } from '../../policy/store.ts';
import { type PolicyVersion, versionOf } from '../../policy/version.ts';
import type { Caller } from '../../ports.ts';
import { AUDITOR, OPERATOR, PUBLISHER } from '../../revocation/admit.ts';
import { problem } from '../problem.ts';
import { badRequest, hasMembers, json, NO_OBJECT, PAGE, pageOf, readObject, readPage } from './body.ts';
import { type Gate, guarded } from './gate.ts';
import { readSent } from './policy-body.ts';
import { createPolicyChange, type PolicyChangePorts } from './policy-change.ts';

export interface PolicyPorts extends Omit<PolicyChangePorts, 'record'> {
  readonly gate: Gate;
  readonly store: PolicyStore;
}

const VERSION = /^[0-9a-f]{12,64}$/;
const SERIAL = /^\d{1,10}$/;

export function createPolicyRoutes({ gate, store, ...ports }: PolicyPorts) {
  const change = createPolicyChange({
    ...ports,
    record: (by, correlationId, act, rest) =>
      gate.audit.append({
        at: iso(gate.clock()),
        instance: gate.instance,
        correlationId,
        tenantId: by.tenantId,
        clientId: by.clientId,
        objectId: by.objectId,
        uti: by.uti,
        act,
        ...rest,
      }),
  });

  async function read(): Promise<HttpResponseInit> {
    const { rules } = await ports.snapshot();
    const pointer = await store.pointer();
    // It moved between the two reads: the answer is of what was in force when they began.
    const how = pointer?.version === rules.version ? shown(pointer) : {};
    return json(
      200,
      { version: rules.version, ...how, policy: rules.source, shadowed: shadowedIn(rules) },
      { etag: `"${rules.version}"` },
    );
  }
  async function versions(request: HttpRequest): Promise<HttpResponseInit> {
    const page = readPage(request);
    if (typeof page === 'string') return badRequest(page);
    if (page.after !== undefined && !SERIAL.test(page.after))
      return badRequest('after must be the next of the page before');
    const pointer = await store.pointer();
    const before = page.after === undefined ? pointer?.serial : Number(page.after);
    const earlier = before === undefined ? [] : await store.history(page.limit + 1, before);
    const first = page.after === undefined && pointer !== undefined ? [pointer] : [];
    const { items, next } = pageOf([...first, ...earlier], page.limit, ({ serial }) => String(serial));
    return json(200, {
      items: items.map((one) => ({ ...shown(one), inForce: one.serial === pointer?.serial })),
      ...(next !== undefined && { next }),
    });
  }
  /** @returns the whole text, or undefined: it never was in force */
  async function earlier(version: string): Promise<string | undefined> {
    const text = await store.text(version);
    return text !== undefined && (await store.wasInForce(versionOf(text))) ? text : undefined;
  }

  const put = async (
    request: HttpRequest,
    caller: Caller,
    correlationId: string,
  ): Promise<HttpResponseInit> => {
    const sent = await readSent(request);
    if (!('expected' in sent)) return sent;
    const dryRun = isDryRun(request);
    const source = await sourceOf(sent.change, sent.expected);
    if (source.kind === 'unfit')
      return change.refuse(caller, correlationId, { kind: 'invalid', problems: source.problems }, dryRun);
    if (source.kind === 'absent')
      return change.refuse(
        caller,
        correlationId,
        { kind: 'conflict', inForce: (await store.pointer())?.version },
        dryRun,
      );
    return change.carryOut(
      { ...sent, source: source.document, how: 'applied', dryRun },
      caller,
      correlationId,
    );
  };
  const applyChange = guarded(gate, { role: PUBLISHER, act: 'apply policy', query: ['dryRun'] }, put);
  const showChange = guarded(
    gate,
    { role: AUDITOR, orRole: PUBLISHER, act: 'show a change of the policy', query: ['dryRun'] },
    put,
  );

  return {
    readPolicy: guarded(gate, { role: AUDITOR, orRole: PUBLISHER, act: 'read policy' }, read),
    listPolicyVersions: guarded(
      gate,
      { role: AUDITOR, orRole: PUBLISHER, act: 'read policy', query: PAGE },
      versions,
    ),
    // What changes nothing may be asked by whoever may read the policy, so that a check of a pull request needs no more.
    applyPolicy: (request: HttpRequest) => (isDryRun(request) ? showChange(request) : applyChange(request)),
    rollBackPolicy: guarded(
      gate,
      { role: OPERATOR, act: 'roll policy back' },
      async (request, caller, correlationId) => {
        const body = await readObject(request);
        if (body === 'unreadable') return badRequest(NO_OBJECT);
        const { version, reason: given, ...others } = body;
        if (hasMembers(others)) return badRequest('the body has no other members than version and reason');
        if (typeof version !== 'string' || !VERSION.test(version))
          return badRequest(
            'version: 12 to 64 hexadecimal digits, as GET /operator/policy/versions lists them',
          );
        const reason = readReason(given);
        if (typeof reason !== 'string') return badRequest(reason.problem);
        // The pointer comes first, so that another change in between is a conflict and is not undone unseen.
        const expected = (await store.pointer())?.version ?? '';
        const text = await earlier(version);
        if (text === undefined)
          return problem(404, 'Not Found', 'no version that begins with these digits was ever in force');
        const source: unknown = JSON.parse(text);
        return change.carryOut(
          { source, expected, reason, commit: undefined, how: 'rolled back', confirm: 'all', dryRun: false },
          caller,
          correlationId,
        );
      },
    ),
  };

  async function sourceOf(
    sent: { readonly policy: unknown } | { readonly patch: unknown },
    expected: string,
  ): Promise<ReturnType<typeof applyPatch> | { readonly kind: 'absent' }> {
    if ('policy' in sent) return { kind: 'patched', document: sent.policy };
    // A patch whose answer was lost is sent again, and changes what was in force before: so any version may be patched.
    const text = await store.text(expected);
    return text === undefined ? { kind: 'absent' } : applyPatch(JSON.parse(text), sent.patch);
  }
}

const isDryRun = ({ query }: HttpRequest): boolean => query.has('dryRun') && query.get('dryRun') !== 'false';

const shown = ({ version, how, by, reason, at, commit }: InForce) => ({
  version,
  how,
  by,
  reason,
  at,
  ...(commit !== undefined && { commit }),
});

/** The names of what is in shadow: it decides nothing, and the audit says what it would decide. */
function shadowedIn({ policy }: PolicyVersion): readonly string[] {
  return policy.grants.flatMap(({ name, shadow, callers }) =>
    shadow === true
      ? [name]
      : callers.flatMap((rule, index) => (rule.shadow !== undefined ? [`${name}, callers[${index}]`] : [])),
  );
}
