/**
 * What callers asked for in the last week, as the audit has it, with equal requests counted together: who would be
 * touched by a change of the policy is asked at each one, and the audit of a busy week is too long to be read each time.
 * So each instance reads on from where it stopped.
 */
import { iso } from '../iso.ts';
import type { AuditRecord, Clock, ReadSpan } from '../ports.ts';

export interface Recorded {
  /** One of each, with how many there were. */
  readonly requests: readonly { readonly record: AuditRecord; readonly count: number }[];
  /** Until when the audit was read; absent: to its end. */
  readonly until?: string;
  /** How many more there were than are kept here. */
  readonly unkept: number;
}

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
/** Different requests of one day; with their claims each takes about a kilobyte. */
const MAX_KEPT_A_DAY = 5_000;
/** A record may be written so much later than it says. What is read twice is not counted twice. */
const OVERLAP_MS = 10_000;

interface Day {
  readonly kept: Map<string, { readonly record: AuditRecord; count: number }>;
  unkept: number;
}

/** @returns what is recorded up to now, as far as it can be read in the time of one read. It may throw UpstreamFailure. */
export function createRecorded(readSpan: ReadSpan, clock: Clock): () => Promise<Recorded> {
  const days = new Map<string, Day>();
  let readToMs = 0;
  /** When each was recorded, of those that will be read again. */
  let seen = new Map<string, number>();
  let reading: Promise<Recorded> | undefined;

  function add(record: AuditRecord): void {
    const { correlationId, at, count, outcome, act } = record;
    // Nobody verified the callers that are counted together. An act of an operator is no request.
    if (count !== undefined || outcome === 'withheld' || act !== undefined) return;
    const { claims, tenantId, clientId, objectId, resource, asked, tokenKind, grant, reason } = record;
    const name = at.slice(0, 10);
    const day = days.get(name) ?? { kept: new Map(), unkept: 0 };
    days.set(name, day);
    const { issuedAt: _, ...had } = claims ?? { issuedAt: 0 };
    const what = [tenantId, clientId, objectId, resource, asked, tokenKind, grant, reason, outcome, had];
    const key = JSON.stringify(what);
    const known = day.kept.get(key);
    if (known !== undefined) known.count += 1;
    else if (day.kept.size < MAX_KEPT_A_DAY) day.kept.set(key, { record, count: 1 });
    else day.unkept += 1;
    seen.set(correlationId, Date.parse(at));
  }
  async function read(): Promise<Recorded> {
    const nowMs = clock();
    const fromMs = nowMs - WEEK_DAYS * DAY_MS;
    for (const name of days.keys()) if (name < iso(fromMs).slice(0, 10)) days.delete(name);
    const beginMs = Math.max(fromMs, readToMs - OVERLAP_MS);
    let last = beginMs;
    const end = await readSpan(beginMs, nowMs, (record) => {
      last = Math.max(last, Date.parse(record.at));
      if (!seen.has(record.correlationId)) add(record);
      return true;
    });
    readToMs = end === 'unfinished' ? last : nowMs;
    seen = new Map([...seen].filter(([, atMs]) => atMs >= readToMs - OVERLAP_MS));
    return {
      requests: [...days.values()].flatMap(({ kept }) => [...kept.values()]),
      ...(end === 'unfinished' && { until: iso(last) }),
      unkept: [...days.values()].reduce((sum, { unkept }) => sum + unkept, 0),
    };
  }
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
