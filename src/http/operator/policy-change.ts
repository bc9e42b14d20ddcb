/** A change of the policy, from what was sent to the answer: refused with its reason, shown only, or in force. */
import type { HttpResponseInit } from '@azure/functions';
import type { Seen } from '../../exchange/freshness.ts';
import type { Recorded } from '../../exchange/recorded-requests.ts';
import { createWhatIf, type WhatIf } from '../../exchange/what-if.ts';
import type { ApplyPolicy, PolicyApplied, PolicyChange } from '../../operations/apply-policy.ts';
import { changesInWords } from '../../policy/changes.ts';
import type { PolicyVersion } from '../../policy/version.ts';
import type { AuditRecord, Caller } from '../../ports.ts';
import { withoutSecrets } from '../../secret.ts';
import { problem } from '../problem.ts';
import { json } from './body.ts';

export interface Confirmation {
  /** What is sent in `confirm`. */
  readonly name: string;
  readonly why: string;
}
export interface PolicyChangePorts {
  readonly apply: ApplyPolicy;
  /** The shared state, from a head read that begins after this call. */
  readonly snapshot: () => Promise<Seen>;
  readonly recorded: () => Promise<Recorded>;
  /** What a person must have said yes to, by name, before such a change comes into force. */
  readonly confirmationsNeeded: (
    before: PolicyVersion,
    after: PolicyVersion,
    recorded: Recorded,
  ) => readonly Confirmation[];
  readonly record: (
    by: Caller,
    correlationId: string,
    act: string,
    rest: Pick<AuditRecord, 'outcome' | 'target' | 'reason' | 'problem'>,
  ) => Promise<void>;
}
export interface Wanted extends Omit<PolicyChange, 'by'> {
  readonly confirm: readonly string[] | 'all';
  /** The answer alone: nothing is changed. */
  readonly dryRun: boolean;
}
/** Why nothing was changed. */
type Refused = Exclude<PolicyApplied, { readonly kind: 'applied' }>;
interface Difference {
  readonly changes: readonly string[];
  readonly touched: WhatIf['changed'];
}

const MAX_PROBLEMS = 200;

export function createPolicyChange({
  apply,
  snapshot,
  recorded,
  confirmationsNeeded,
  record,
}: PolicyChangePorts) {
  return {
    async carryOut(
      { confirm, dryRun, ...wanted }: Wanted,
      caller: Caller,
      correlationId: string,
    ): Promise<HttpResponseInit> {
      const act = wanted.how === 'applied' ? 'apply policy' : 'roll policy back';
      let difference: Difference = { changes: [], touched: [] };
      const answer = await apply({ ...wanted, by: caller.objectId }, async (next) => {
        const { rules } = await snapshot();
        const known = await recorded();
        const needed = confirmationsNeeded(rules, next, known);
        difference = differenceOf(rules, next, known);
        if (dryRun)
          return {
            status: 200,
            body: { version: next.version, dryRun: true, ...difference, confirmations: needed },
          };
        const open = confirm === 'all' ? [] : needed.filter(({ name }) => !confirm.includes(name));
        return open.length === 0 ? undefined : { status: 409, body: { open, ...difference } };
      });
      if ('status' in answer) {
        if (answer.status === 200) return json(200, answer.body);
        const { open } = answer.body as { readonly open: readonly Confirmation[] };
        await record(caller, correlationId, act, {
          outcome: 'refused',
          reason: wanted.reason,
          problem: `unconfirmed: ${open.map(({ name }) => name).join(', ')}`,
        });
        return unconfirmed(open, difference);
      }
      if (answer.kind !== 'applied') return this.refuse(caller, correlationId, answer, dryRun, wanted);
      const { version, already } = answer;
      if (!dryRun)
        await record(caller, correlationId, act, { outcome: 'done', target: version, reason: wanted.reason });
      return json(
        200,
        { version, ...(dryRun && { dryRun }), already, ...difference },
        { etag: `"${version}"` },
      );
    },

    /** What does not come into force is on record too, because only one who may publish can get here. */
    async refuse(
      caller: Caller,
      correlationId: string,
      why: Refused,
      dryRun: boolean,
      wanted?: Pick<PolicyChange, 'how' | 'reason'>,
    ): Promise<HttpResponseInit> {
      const act = wanted?.how === 'rolled back' ? 'roll policy back' : 'apply policy';
      if (!dryRun)
        await record(caller, correlationId, act, {
          outcome: 'refused',
          ...(wanted !== undefined && { reason: wanted.reason }),
          problem: why.kind,
        });
      return refusalOf(why);
    },
  };
}

function differenceOf(before: PolicyVersion, after: PolicyVersion, { requests }: Recorded): Difference {
  const whatIf = createWhatIf(after.compiled);
  for (const { record, count } of requests) whatIf.add(record, count);
  return {
    changes: changesInWords(before.policy, after.policy),
    touched: whatIf.result().changed,
  };
}

const extended = (
  answer: HttpResponseInit,
  more: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit => ({
  ...answer,
  headers: { ...(answer.headers as Record<string, string>), ...headers },
  jsonBody: { ...answer.jsonBody, ...more },
});

function unconfirmed(
  confirmations: readonly Confirmation[],
  { changes, touched }: Difference,
): HttpResponseInit {
  const names = confirmations.map(({ name }) => name).join(', ');
  return extended(
    problem(409, 'Conflict', `nothing was changed: this needs a confirmation, sent as confirm: ${names}`),
    { confirmations, changes, touched },
  );
}

function refusalOf(why: Refused): HttpResponseInit {
  switch (why.kind) {
    case 'conflict':
      return extended(
        problem(412, 'Precondition Failed', 'another version is in force: read it, and change that one'),
        { ...(why.inForce !== undefined && { inForce: why.inForce }) },
        why.inForce === undefined ? {} : { etag: `"${why.inForce}"` },
      );
    case 'invalid': {
      // A file that is no policy at all may hold anything, a key too.
      const problems = why.problems.slice(0, MAX_PROBLEMS).map(withoutSecrets);
      return extended(
        problem(
          422,
          'Unprocessable Content',
          `the policy has ${why.problems.length} problem(s); nothing was changed`,
        ),
        { problems },
      );
    }
    case 'unreadable':
      return extended(
        problem(
          409,
          'Conflict',
          `nothing was changed: ${why.instances} running instance(s) of another version of the app cannot read ${why.members.join(', ')}; deploy this version everywhere, and try again when they have ended`,
        ),
        { members: why.members },
      );
  }
}
