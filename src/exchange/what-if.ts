/**
 * What recorded requests would be answered under a draft policy. The policy alone is compared: a request that was
 * refused for another reason, such as a revocation or the rate, counts as the same.
 */
import type { CompiledPolicy } from '../policy/match.ts';
import type { AuditRecord } from '../ports.ts';
import { TOKEN_KINDS } from '../token-kind.ts';
import { recordedCaller } from './claims.ts';
import { judge } from './explain.ts';

export interface ChangedRequests {
  readonly caller: { readonly tenantId: string; readonly clientId: string; readonly objectId: string };
  readonly resource: string;
  /** The kind that was handed out, or would be; absent where neither was. */
  readonly tokenKind?: string;
  readonly before: 'granted' | 'refused';
  readonly after: 'granted' | 'refused';
  /** The grant that gives before or after, where one does. */
  readonly grant?: string;
  /** Why it is refused, before or after. */
  readonly reason?: string;
  readonly count: number;
  /** A correlation id. */
  readonly example: string;
}
export interface WhatIf {
  readonly requests: number;
  readonly same: number;
  /** Of these it cannot be said: the record does not hold enough of the caller. */
  readonly unknown: number;
  /** The most affected first, at most a thousand. */
  readonly changed: readonly ChangedRequests[];
  /** How many changed requests are not in the list. */
  readonly unlisted: number;
}

const MAX_LISTED = 1_000;
/** Different callers and resources whose answer changes; more of them are counted together. */
const MAX_KEPT = 20_000;
/** What a policy decides by itself. */
const BY_POLICY = new Set(['grant_missing', 'target_unknown', 'user_required']);
const NOTHING_REVOKED = new Map<string, never>();

export function createWhatIf(draft: CompiledPolicy) {
  const changed = new Map<string, { -readonly [Name in keyof ChangedRequests]: ChangedRequests[Name] }>();
  let requests = 0;
  let same = 0;
  let unknown = 0;
  let unlisted = 0;

  const replayed = (record: AuditRecord): Omit<ChangedRequests, 'count' | 'example'> | 'same' | 'unknown' => {
    const { outcome: before, resource, reason = '' } = record;
    if (before !== 'granted' && (before !== 'refused' || !BY_POLICY.has(reason))) return 'same';
    const caller = recordedCaller(draft, record);
    if (caller === undefined || resource === undefined) return 'unknown';
    const tokenKind = TOKEN_KINDS.find((kind) => kind === record.asked);
    const asked = { target: resource, tokenKind, scope: undefined };
    const answer = judge(draft, () => undefined, caller, asked, NOTHING_REVOKED);
    const after = 'option' in answer ? 'granted' : 'refused';
    // A role or group that was not recorded may be what the draft asks for.
    if (after === 'refused' && record.claims?.left !== undefined) return 'unknown';
    const kind = 'option' in answer ? answer.option.kind : record.tokenKind;
    if (before === after && (before === 'refused' || kind === record.tokenKind)) return 'same';
    const { tenantId, clientId, objectId } = caller;
    const grant = 'option' in answer ? answer.option.grant.name : record.grant;
    return {
      caller: { tenantId, clientId, objectId },
      resource,
      ...(kind !== undefined && { tokenKind: kind }),
      before,
      after,
      ...(grant !== undefined && { grant }),
      ...('option' in answer ? reason !== '' && { reason } : { reason: answer.kind }),
    };
  };

  return {
    /** @param times how many equal requests the record stands for */
    add(record: AuditRecord, times = 1): void {
      // Nobody verified these callers, and no policy changes that. A record of a token that was not sent is a second one.
      // An act of an operator is no request at all.
      if (record.count !== undefined || record.outcome === 'withheld' || record.act !== undefined) return;
      requests += times;
      const what = replayed(record);
      if (what === 'same') same += times;
      else if (what === 'unknown') unknown += times;
      else {
        const key = JSON.stringify(what);
        const known = changed.get(key);
        if (known !== undefined) known.count += times;
        else if (changed.size < MAX_KEPT)
          changed.set(key, { ...what, count: times, example: record.correlationId });
        else unlisted += times;
      }
    },
    result(): WhatIf {
      const sorted = [...changed.values()].sort((one, other) => other.count - one.count);
      const rest = sorted.slice(MAX_LISTED).reduce((sum, { count }) => sum + count, unlisted);
      return { requests, same, unknown, changed: sorted.slice(0, MAX_LISTED), unlisted: rest };
    },
  };
}
