/** The explanation of a refusal that is in the audit, and of what the same caller would be answered now. */

import { type PolicyVersion, shortVersion } from '../policy/version.ts';
import type { AuditRecord, Snapshot } from '../ports.ts';
import { TOKEN_KINDS } from '../token-kind.ts';
import { adviceOfReason } from './advice.ts';
import { type CallerChange, callerChanges } from './caller-changes.ts';
import { recordedCaller } from './claims.ts';
import { explain, type Revocations } from './explain.ts';
import type { Explained } from './explained.ts';
import { type Change, policyChanges } from './policy-changes.ts';

export interface ExplainedRecord extends Explained {
  readonly correlationId: string;
  readonly at: string;
  readonly resource?: string;
  /** The version of the policy that decided, as the audit has it. */
  readonly policy?: string;
  /** As the audit has the caller; absent where nobody verified it. */
  readonly caller?: Pick<AuditRecord, 'tenantId' | 'clientId' | 'objectId' | 'claims'>;
  /** What this explanation cannot know, in words. */
  readonly unknown?: string;
  /** What the same caller would be answered now; absent where nobody verified it. */
  readonly now?: Explained;
  readonly changes: readonly Change[];
  readonly callerChanges: readonly CallerChange[];
}

/** @param record of one exchange, or the record that counts refusals and has its sample */
export function explainRecord(
  record: AuditRecord,
  correlationId: string,
  /** The policy that decided, and the one in force. */
  { then, now: version }: { readonly then: PolicyVersion; readonly now: PolicyVersion },
  deps: Revocations,
  revocations: Snapshot['revocations'],
): ExplainedRecord {
  const sample = record.samples?.find((one) => one.correlationId === correlationId);
  const resource = sample?.resource ?? record.resource;
  const reason = record.reason ?? '';
  const outcome = record.outcome === 'granted' ? 'granted' : 'refused';
  const about = {
    correlationId,
    at: record.at,
    ...(resource !== undefined && { resource }),
    ...(record.policy !== undefined && { policy: record.policy }),
    outcome,
    ...(record.reason !== undefined && { reason }),
  } as const;
  const caller = recordedCaller(version.compiled, record);
  if (caller === undefined || resource === undefined)
    return {
      ...about,
      advice: adviceOfReason(reason),
      unknown:
        'Nobody verified this caller, or its claims were not recorded, so the grants cannot be told apart.',
      grants: [],
      revocations: [],
      limits: [],
      changes: [],
      callerChanges: [],
    };
  const asked = {
    target: resource,
    tokenKind: TOKEN_KINDS.find((kind) => kind === record.asked),
    scope: undefined,
  };
  const now = explain(version, deps, caller, asked, revocations);
  const thatCaller = recordedCaller(then.compiled, record) ?? caller;
  const before = then === version ? now : explain(then, deps, thatCaller, asked, revocations);
  const decided = { version, revokedBy: deps.revokedBy, caller, asked, revocations };
  const isRefused = now.outcome === 'refused';
  const { tenantId, clientId, objectId, claims } = record;
  const unknown = [
    ...(record.policy !== undefined && record.policy !== shortVersion(then.version)
      ? ['The policy that decided is not kept any more, so the one in force explains.']
      : []),
    ...(claims?.left === undefined
      ? []
      : [`The token had ${claims.left} more roles, scopes or groups, which were not recorded.`]),
    ...(outcome === 'refused' && !isRefused
      ? [
          'Only the policy and the revocations are decided again: the scope that was asked for, the rate, the life of the token and Entra itself may refuse it still.',
        ]
      : []),
  ].join(' ');
  return {
    ...about,
    advice:
      before.outcome === outcome && (outcome === 'granted' || before.reason === record.reason)
        ? before.advice
        : adviceOfReason(reason),
    caller: {
      ...(tenantId !== undefined && { tenantId }),
      ...(clientId !== undefined && { clientId }),
      ...(objectId !== undefined && { objectId }),
      ...(claims !== undefined && { claims }),
    },
    ...(unknown !== '' && { unknown }),
    grants: before.grants,
    revocations: now.revocations,
    limits: before.limits,
    now,
    changes: isRefused ? policyChanges(decided) : [],
    callerChanges: isRefused ? callerChanges(decided) : [],
  };
}

/**
 * What the caller itself may read: its own claims and what it can do. Whether a target exists, whom a grant names and
 * what else is revoked is not the caller's to know.
 */
export function ownView({ correlationId, at, outcome, reason = '', caller, now }: ExplainedRecord) {
  const [kind, scope = ''] = reason.split(': ');
  const isTarget =
    kind === 'target_unknown' ||
    kind === 'grant_missing' ||
    (kind === 'revoked' && (scope.startsWith('resource ') || scope.startsWith('grant ')));
  return {
    correlationId,
    at,
    outcome,
    reason: isTarget ? 'not_for_this_caller' : reason,
    advice: isTarget
      ? 'This caller gets no token for this target. With the correlation id an auditor sees which condition is not met.'
      : adviceOfReason(reason),
    ...(caller !== undefined && { caller }),
    ...(now !== undefined && { now: { outcome: now.outcome } }),
  };
}
