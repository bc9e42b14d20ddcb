/** Runs one row of the table against a broker and says in words what did not hold. */
import { isDeepStrictEqual } from 'node:util';
import { withoutSecrets } from '../../src/secret.ts';
import type { Attack } from './attack.ts';
import type { Broker } from './broker.ts';
import { type Received, type Sending, send } from './send.ts';

export interface Held {
  readonly what: string;
  readonly requests: number;
  readonly statuses: readonly number[];
  readonly upstreamCalls: number;
  readonly writes: number;
  readonly auditRows: number;
  /** Empty: the row held. */
  readonly problems: readonly string[];
}

export async function runAttack(broker: Broker, attack: Attack): Promise<Held> {
  const sendings = await attack.send(broker);
  const logBefore = broker.stack.log().length;
  const before = await lastCall(broker);
  const { now } = await broker.stack.control('GET', '/clock');
  const answers: Received[] = [];
  for (const sending of sendings) answers.push(await send(broker.url, sending));
  await untilHandled(broker, before);
  const calls = await callsAfter(broker, before);
  const log = broker.stack.log().slice(logBefore);
  const acts = attack.acts && (await actsSince(broker, String(now)));

  const { allowed } = attack;
  const limits: readonly (readonly [what: string, found: number, most: number])[] = [
    ['upstream calls', calls.upstream, allowed.upstreamCalls ?? 0],
    ['table reads', calls.reads, allowed.tableReads ?? Number.POSITIVE_INFINITY],
    ['writes', calls.writes, allowed.writes ?? 0],
    ['audit rows', calls.audit, allowed.auditRows ?? sendings.length + 1],
  ];
  const problems = [
    ...answers.flatMap((answer, index) => answerProblems(broker, attack, sendings[index], answer)),
    ...limits.flatMap(([what, found, most]) => (found > most ? [`${found} ${what}, at most ${most}`] : [])),
    ...(calls.operations.length > 0 && calls.upstream > (allowed.upstreamCalls ?? 0)
      ? [`called: ${calls.operations.join(', ')}`]
      : []),
    ...(isDeepStrictEqual(acts, attack.acts) ? [] : [`the audit has of acts ${JSON.stringify(acts)}`]),
    ...(attack.never ?? []).flatMap((text) =>
      log.includes(text) ? [`${JSON.stringify(text)} is in the log`] : [],
    ),
  ];
  return {
    what: attack.what,
    requests: sendings.length,
    statuses: [...new Set(answers.map(({ status }) => status))].sort(),
    upstreamCalls: calls.upstream,
    writes: calls.writes,
    auditRows: calls.audit,
    problems: [...new Set(problems)],
  };
}

function answerProblems(
  broker: Broker,
  { allowed, never = [] }: Attack,
  sending: Sending | undefined,
  { status, text, body }: Received,
): string[] {
  const problems: string[] = [];
  const asked = withoutSecrets(`${sending?.path ?? ''} ${sending?.body ?? ''}`).slice(-120);
  if (!allowed.statuses.includes(status))
    problems.push(`${status} for ${asked}: ${withoutSecrets(body).slice(0, 200)}`);
  const granted = /"access_token"/.test(body);
  if (granted && !allowed.granted) problems.push(`granted: ${asked}`);
  if (granted && !endpointsOf(broker).includes(String((JSON.parse(body) as { endpoint: string }).endpoint)))
    problems.push(`granted at an endpoint that is not of the policy: ${asked}`);
  if (!granted && JWT.test(text)) problems.push(`a token is in the answer to ${asked}`);
  for (const forbidden of never)
    if (text.includes(forbidden)) problems.push(`${JSON.stringify(forbidden)} is in the answer to ${asked}`);
  return problems;
}

/** The records of acts in the audit since then, by their outcome. */
async function actsSince(broker: Broker, from: string): Promise<Readonly<Record<string, number>>> {
  const { body } = await send(broker.url, {
    method: 'GET',
    path: `/operator/audit?limit=1000&from=${encodeURIComponent(from)}`,
    headers: [['authorization', `Bearer ${await broker.tokenOf('auditor')}`]],
  });
  const { items } = JSON.parse(body) as { items: { act?: string; outcome: string }[] };
  const groups = Map.groupBy(
    items.filter(({ act }) => act !== undefined),
    ({ outcome }) => outcome,
  );
  return Object.fromEntries([...groups].map(([outcome, records]) => [outcome, records.length]));
}

const JWT = /eyJ[\w-]{10,}\.[\w-]{10,}/;
const endpointsOf = ({ stack }: Broker): string[] =>
  stack.description.resources.flatMap(({ endpoint, regionalEndpoint = '' }) => [endpoint, regionalEndpoint]);

interface Call {
  readonly n: number;
  readonly service: string;
  readonly operation: string;
  readonly resource: string | null;
}
async function lastCall(broker: Broker): Promise<number> {
  return Number((await broker.stack.control('GET', '/requests?after=999999999'))['last']);
}
async function requestsAfter(broker: Broker, after: number): Promise<readonly Call[]> {
  const { requests } = await broker.stack.control('GET', `/requests?after=${after}`);
  return requests as readonly Call[];
}
/** What was passed on to the rotator app is part of the attack. */
async function untilHandled(broker: Broker, after: number): Promise<void> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const requests = await requestsAfter(broker, after);
    const count = (verb: string) =>
      requests.filter(({ operation }) => operation.startsWith(`${verb} `)).length;
    if (count('PutMessage') <= count('DeleteMessage')) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the rotator app does not handle what was passed on to it');
}
const MAX_LOOKS = 300;
async function callsAfter(broker: Broker, after: number) {
  const requests = await requestsAfter(broker, after);
  const isRead = ({ operation }: Call) => /^(Get|Query)/.test(operation);
  const isAudit = ({ resource }: Call) => resource === 'audit';
  // Every minute the rotator app closes the audit, whoever calls and whether anybody does.
  const isClosing = (call: Call) => call.resource === 'usage' || (isAudit(call) && isRead(call));
  const tables = requests.filter((call) => call.service === 'tables' && !isClosing(call));
  // A message costs a call to put it and two to take it, and the rotator app looks for them all the time; blobs it asks
  // for every minute.
  const isOther = ({ service }: Call) => !['tables', 'queues', 'blobs'].includes(service);
  const upstream = requests.filter(isOther);
  return {
    upstream: upstream.length,
    operations: [...new Set(upstream.map(({ service, operation }) => `${service} ${operation}`))],
    reads: tables.filter(isRead).length,
    writes: tables.filter((call) => !isRead(call) && !isAudit(call)).length,
    audit: tables.filter((call) => !isRead(call) && isAudit(call)).length,
  };
}
