/** `POST /operator/explain`: why a caller was refused, or what a described caller would be answered. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { callerChanges } from '../../exchange/caller-changes.ts';
import { explain, type PolicyVersion, type Revocations } from '../../exchange/explain.ts';
import { explainRecord, ownView } from '../../exchange/explain-record.ts';
import { policyChanges } from '../../exchange/policy-changes.ts';
import { guid } from '../../guid.ts';
import { tokenKind } from '../../policy/resource-schema.ts';
import type { AuditRecord, Caller, Clock, ReadSpan, Snapshot } from '../../ports.ts';
import { AUDITOR, hasRole } from '../../revocation/admit.ts';
import { Secret } from '../../secret.ts';
import { madeAtMs } from '../correlation.ts';
import { problem } from '../problem.ts';
import { wrongQuery } from '../query.ts';
import { badRequest, json, NO_OBJECT, readObject } from './body.ts';
import { admitted, type Gate } from './gate.ts';

export interface ExplainPorts {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly version: PolicyVersion;
  readonly revocations: Revocations;
  readonly snapshot: () => Promise<Snapshot>;
  readonly readSpan: ReadSpan;
}

const instant = z.iso.datetime({ offset: true });
const values = z.array(z.string().min(1).max(200)).max(200).default([]);
const byId = z.strictObject({
  correlationId: z.string().regex(/^[0-9a-f]{32}$/, 'must have 32 hexadecimal digits in lower case'),
  at: instant.optional().describe('About when it was, for an id that came from outside (traceparent).'),
  from: instant.optional().describe('In the place of `at`: a span of at most an hour.'),
  to: instant.optional(),
});
const described = z.strictObject({
  caller: z.strictObject({
    tenantId: guid,
    clientId: guid,
    objectId: guid,
    kind: z.enum(['user', 'application']),
    appRoles: values,
    scopes: values,
    groups: z.array(guid).max(200).default([]),
    agent: z
      .strictObject({
        blueprintId: guid,
        actsFor: z.enum(['itself', 'own_account', 'person', 'unstated']),
      })
      .optional()
      .describe('The caller is an Entra agent identity of this blueprint.'),
    groupOverage: z.boolean().optional().describe('The token has `_claim_names` in place of groups.'),
    issuedAt: instant.optional().describe("The token's `iat`. Absent: now."),
  }),
  resource: z.string().min(1).max(2_000).describe("The account's endpoint URL, or its name in the policy."),
  tokenKind: tokenKind.optional(),
});
export const explainRequest = z.union([byId, described]);

/** The record is written when the exchange is over, and counted refusals a little later. Clocks may differ. */
const BEFORE_MS = 60_000;
const AFTER_MS = 20 * 60_000;
const MAX_SPAN_MS = 3_600_000;
/**
 * Any caller may ask about its own refusal, and a read of the audit costs far more than an exchange. So on an instance
 * these reads happen one at a time, and take one part in so many of the time: a second's read is followed by nine
 * seconds in which others are told to come again. Auditors do not wait.
 */
const OWN_PART = 10;
/** What is said while a read is under way, of which nobody knows how long it takes. */
const MAX_WAIT_SECONDS = 30;

export function createExplainEndpoint(ports: ExplainPorts) {
  let ownFromMs = 0;
  async function explainOwn(asked: z.infer<typeof byId>, self: Caller): Promise<HttpResponseInit> {
    const startedAtMs = ports.clock();
    if (startedAtMs < ownFromMs) {
      const seconds = Math.min(MAX_WAIT_SECONDS, Math.ceil((ownFromMs - startedAtMs) / 1000));
      const detail = 'others are asking about their refusals; an auditor can ask at any time';
      return problem(429, 'Too Many Requests', detail, { 'retry-after': String(seconds) });
    }
    ownFromMs = Number.POSITIVE_INFINITY;
    try {
      return await explainId(ports, asked, self);
    } finally {
      const endedAtMs = ports.clock();
      ownFromMs = endedAtMs + (OWN_PART - 1) * (endedAtMs - startedAtMs);
    }
  }
  return admitted(ports.gate, async (request: HttpRequest, who: Caller): Promise<HttpResponseInit> => {
    const wrong = wrongQuery(request.url, []);
    if (wrong !== undefined) return badRequest(wrong);
    const body = await readObject(request);
    if (body === 'unreadable') return badRequest(NO_OBJECT);
    const isAuditor = hasRole(who, AUDITOR);
    if ('correlationId' in body) {
      const read = byId.safeParse(body);
      if (!read.success) return unread(read.error);
      return isAuditor ? explainId(ports, read.data, undefined) : explainOwn(read.data, who);
    }
    const read = described.safeParse(body);
    if (!read.success) return unread(read.error);
    // A described caller may be anybody, and the answer tells what the policy gives whom.
    if (!isAuditor)
      return problem(403, 'Forbidden', `the app role ${AUDITOR} is required to explain a described caller`);
    return json(200, await explainDescribed(ports, read.data));
  });
}

const unread = ({ issues: [issue] }: z.ZodError): HttpResponseInit =>
  badRequest(
    `${issue?.path.map(String).join('.') || 'the body'}: ${issue?.code === 'unrecognized_keys' ? 'a member that is not known' : issue?.message}`,
  );

async function explainDescribed(
  ports: ExplainPorts,
  { caller, resource, tokenKind }: z.infer<typeof described>,
) {
  const { issuedAt, groupOverage, agent, ...rest } = caller;
  const issuedAtSeconds = Math.floor((issuedAt === undefined ? ports.clock() : Date.parse(issuedAt)) / 1000);
  const known: Caller = {
    ...rest,
    uti: '',
    issuedAtSeconds,
    expiresAtSeconds: issuedAtSeconds + 3_600,
    ...(groupOverage && { groupOverage }),
    ...(agent !== undefined && { agent }),
    token: new Secret(''),
  };
  const { revocations } = await ports.snapshot();
  const asked = { target: resource, tokenKind, scope: undefined };
  const explained = explain(ports.version, ports.revocations, known, asked, revocations);
  const { revokedBy } = ports.revocations;
  const decided = { version: ports.version, revokedBy, caller: known, asked, revocations };
  return {
    ...explained,
    changes: explained.outcome === 'refused' ? policyChanges(decided) : [],
    callerChanges: explained.outcome === 'refused' ? callerChanges(decided) : [],
  };
}

async function explainId(
  ports: ExplainPorts,
  { correlationId, at, from, to }: z.infer<typeof byId>,
  self: Caller | undefined,
): Promise<HttpResponseInit> {
  const atMs = at === undefined ? madeAtMs(correlationId, ports.clock()) : Date.parse(at);
  const fromMs = from === undefined ? (atMs ?? Number.NaN) - BEFORE_MS : Date.parse(from);
  const toMs = to === undefined ? (atMs ?? fromMs) + AFTER_MS : Date.parse(to);
  if (Number.isNaN(fromMs))
    return badRequest('this id does not carry its time: send `at`, or `from` and `to`, in RFC 3339');
  if (toMs < fromMs || toMs - fromMs > MAX_SPAN_MS)
    return badRequest('from and to must be in this order, and at most an hour apart');
  let found: AuditRecord | undefined;
  const read = await ports.readSpan(fromMs, toMs, (record) => {
    const isIt =
      record.correlationId === correlationId ||
      record.samples?.some((sample) => sample.correlationId === correlationId) === true;
    // One exchange may have two records, and "withheld" is the later and the true one.
    if (isIt) found = record;
    const isLater = found !== undefined && Date.parse(record.at) - Date.parse(found.at) > BEFORE_MS;
    return !isLater && (!isIt || record.outcome === 'granted');
  });
  const isOwn = self === undefined || (found?.objectId === self.objectId && found.tenantId === self.tenantId);
  if (found === undefined || !isOwn)
    return problem(
      404,
      'Not Found',
      read === 'unfinished'
        ? 'not found in the part of the span that could be read in time: send a shorter one'
        : 'no such record in this span. Of refusals of callers whom nobody verified only some are kept; a caller finds only its own',
    );
  const { revocations } = await ports.snapshot();
  const explained = explainRecord(found, correlationId, ports.version, ports.revocations, revocations);
  return json(200, self === undefined ? explained : ownView(explained));
}
