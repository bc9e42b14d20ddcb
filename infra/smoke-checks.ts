/**
 * Is a deployment good for what it is there for? One caller, one account, each step once: what must be answered is,
 * what must be refused is, and the token opens the account. Nothing of a token is in what is said.
 */
import * as z from 'zod';
import { retryAfterSeconds } from '../src/azure/call.ts';

export interface SmokeTarget {
  /** The broker's URL, as its metadata must name it. */
  readonly broker: string;
  /** The caller's own Entra token for the broker. */
  readonly token: string;
  /** The name of an account that the policy lets this caller have. */
  readonly resource: string;
  /** A GET at the account's endpoint that costs nothing. */
  readonly path: string;
}
export interface SmokePorts {
  readonly fetch: typeof fetch;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Milliseconds from any beginning. */
  readonly now: () => number;
}
export interface Finding {
  readonly kind: 'fine' | 'wrong' | 'out of reach';
  readonly text: string;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** After a first deployment roles work within ten minutes, and the rotator finds an account at its first tick. */
const PATIENCE_MS = 600_000;
const PAUSE_MS = 15_000;
const TIMEOUT_MS = 30_000;

const healthShape = z.looseObject({
  status: z.literal('ok'),
  accounts_seen_within_seconds: z.number().optional(),
});
const exchangedShape = z.looseObject({
  access_token: z.string().min(1),
  issued_token_type: z.literal(ACCESS_TOKEN),
  token_type: z.literal('Bearer'),
  expires_in: z.number().positive(),
  token_kind: z.string(),
  endpoint: z.url(),
  speech_authorization: z.string().optional(),
});
type Exchanged = z.infer<typeof exchangedShape>;

/** Ends at the first thing that makes all after it meaningless. */
export async function smoke(target: SmokeTarget, ports: SmokePorts): Promise<readonly Finding[]> {
  const findings = [await health(target, ports)];
  if (findings.some(({ kind }) => kind === 'out of reach')) return findings;
  findings.push(await metadata(target, ports));
  findings.push(await refused('a request without a token', {}, target, ports));
  const garbage = { subject_token: 'not-a-token', subject_token_type: ACCESS_TOKEN };
  findings.push(await refused('a text that is no token', garbage, target, ports));
  const exchanged = await exchange(target, ports);
  findings.push(exchanged.finding);
  if (exchanged.token === undefined) return findings;
  findings.push(await use(exchanged.token, target, ports));
  findings.push(await introspect(exchanged.token, target, ports));
  return findings;
}

async function health(target: SmokeTarget, ports: SmokePorts): Promise<Finding> {
  const answer = await patiently(ports, () => get(at(target, '/health'), {}, ports));
  if (answer === undefined) return { kind: 'out of reach', text: `health: ${target.broker} does not answer` };
  const read = healthShape.safeParse(answer.body);
  if (answer.status !== 200 || !read.success) return wrong('health', answer);
  const seconds = read.data.accounts_seen_within_seconds;
  const rotator = seconds === undefined ? 'has not looked at the accounts yet' : `looked within ${seconds} s`;
  return fine(`health: ok; the rotator ${rotator}`);
}

async function metadata(target: SmokeTarget, ports: SmokePorts): Promise<Finding> {
  const answer = await get(at(target, '/.well-known/oauth-authorization-server'), {}, ports);
  const read = z.looseObject({ issuer: z.string(), token_endpoint: z.string() }).safeParse(answer?.body);
  if (!read.success) return wrong('metadata', answer);
  const { issuer, token_endpoint } = read.data;
  const wanted = at(target, '');
  if (issuer !== wanted || token_endpoint !== `${wanted}/oauth2/token`)
    return {
      kind: 'wrong',
      text: `metadata: the broker says that it is ${issuer}, and was asked as ${wanted}`,
    };
  return fine('metadata: names this address');
}

/** RFC 8693, section 2.2.2: a subject token that is not accepted is an invalid request. */
async function refused(
  what: string,
  form: Readonly<Record<string, string>>,
  target: SmokeTarget,
  ports: SmokePorts,
): Promise<Finding> {
  const asked = { grant_type: GRANT_TYPE, audience: target.resource, ...form };
  const answer = await post(at(target, '/oauth2/token'), asked, {}, ports);
  const isRefused = answer?.status === 400 && answer.error === 'invalid_request';
  return isRefused ? fine(`${what}: refused, invalid_request`) : wrong(what, answer);
}

async function exchange(
  target: SmokeTarget,
  ports: SmokePorts,
): Promise<{ readonly finding: Finding; readonly token?: Exchanged }> {
  const form = {
    grant_type: GRANT_TYPE,
    audience: target.resource,
    subject_token: target.token,
    subject_token_type: ACCESS_TOKEN,
  };
  const answer = await patiently(ports, () => post(at(target, '/oauth2/token'), form, {}, ports));
  const read = exchangedShape.safeParse(answer?.body);
  if (answer?.status !== 200 || !read.success) return { finding: wrong('exchange', answer) };
  const { token_kind, expires_in } = read.data;
  return {
    finding: fine(`exchange: a token of kind ${token_kind} for ${target.resource}, good for ${expires_in} s`),
    token: read.data,
  };
}

async function use(token: Exchanged, target: SmokeTarget, ports: SmokePorts): Promise<Finding> {
  const bearer = token.speech_authorization ?? token.access_token;
  const url = `${token.endpoint.replace(/\/+$/, '')}${target.path}`;
  const answer = await patiently(ports, () => get(url, { authorization: `Bearer ${bearer}` }, ports));
  return answer?.status === 200 ? fine(`${target.resource} takes the token`) : wrong(`GET ${url}`, answer);
}

async function introspect(token: Exchanged, target: SmokeTarget, ports: SmokePorts): Promise<Finding> {
  const headers = { authorization: `Bearer ${target.token}` };
  const answer = await post(at(target, '/oauth2/introspect'), { token: token.access_token }, headers, ports);
  const read = z.looseObject({ active: z.literal(true), resource: z.string() }).safeParse(answer?.body);
  return read.success ? fine('introspection: active') : wrong('introspection', answer);
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** The error code of OAuth. */
  readonly error: string | undefined;
  readonly retryAfterMs: number;
}

const fine = (text: string): Finding => ({ kind: 'fine', text });
/** Of an answer only its status and code are said: what else is in it may hold a token. */
function wrong(what: string, answer: Answer | undefined): Finding {
  if (answer === undefined) return { kind: 'out of reach', text: `${what}: no answer` };
  const code = answer.error === undefined ? '' : ` ${answer.error}`;
  return { kind: 'wrong', text: `${what}: answered ${answer.status}${code}` };
}

const at = ({ broker }: SmokeTarget, path: string): string => `${broker.replace(/\/+$/, '')}${path}`;

const get = (url: string, headers: Record<string, string>, ports: SmokePorts): Promise<Answer | undefined> =>
  ask(url, { headers }, ports);
const post = (
  url: string,
  form: Readonly<Record<string, string>>,
  headers: Record<string, string>,
  ports: SmokePorts,
): Promise<Answer | undefined> =>
  ask(url, { method: 'POST', body: new URLSearchParams(form), headers }, ports);

/** @returns undefined where there is no answer in time */
async function ask(url: string, init: RequestInit, { fetch }: SmokePorts): Promise<Answer | undefined> {
  let response: Response;
  let text: string;
  try {
    // Not followed: it would take the caller's token to another address.
    const asked: RequestInit = { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) };
    response = await fetch(url, asked);
    text = await response.text();
  } catch {
    return undefined;
  }
  const body = jsonOf(text);
  const code = z.looseObject({ error: z.string().regex(/^[a-z_]{1,40}$/) }).safeParse(body);
  const retryAfterMs = 1000 * (retryAfterSeconds(response.headers.get('retry-after')) ?? 0);
  return { status: response.status, body, error: code.data?.error, retryAfterMs };
}

/** @returns undefined for what is no JSON */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tries again while something is not up yet, or a role that was just given does not work yet. */
async function patiently(
  { sleep, now }: SmokePorts,
  once: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const endMs = now() + PATIENCE_MS;
  for (;;) {
    const answer = await once();
    const isUp = answer !== undefined && answer.status < 500 && answer.status !== 429;
    const pauseMs = Math.max(PAUSE_MS, answer?.retryAfterMs ?? 0);
    if (isUp || now() + pauseMs > endMs) return answer;
    await sleep(pauseMs);
  }
}
