/** Puts a policy in force over `/operator/policy`, and says in words what came of it. Repeating it is safe. */
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import { cameFromHere, type History, type InForceNow, isSame } from './policy-history.ts';

export interface Publication {
  /** The address of the broker. */
  readonly broker: string;
  /** For the broker, of an identity with the app role Broker.Publisher. */
  readonly token: string;
  /** The policy, as JSON. */
  readonly text: string;
  readonly reason: string;
  readonly commit: string | undefined;
  readonly confirm: readonly string[];
  /** The version that may be replaced though it did not come from this repository, or 12 digits of it or more. */
  readonly replace: string | undefined;
}
export interface PublicationPorts {
  readonly fetch: typeof fetch;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly history: () => History;
}
export interface Outcome {
  readonly kind: 'in force' | 'refused' | 'out of reach';
  readonly lines: readonly string[];
}

const inForceShape = z.looseObject({
  version: z.string(),
  how: z.string().optional(),
  by: z.string().optional(),
  at: z.string().optional(),
  reason: z.string().optional(),
  commit: z.string().optional(),
  policy: z.looseObject({}),
});
const appliedShape = z.looseObject({
  version: z.string(),
  changes: z.array(z.string()),
  touched: z.array(
    z.looseObject({ resource: z.string(), before: z.string(), after: z.string(), count: z.number() }),
  ),
});
const problemShape = z.looseObject({
  detail: z.string(),
  problems: z.array(z.string()).optional(),
  confirmations: z.array(z.looseObject({ name: z.string(), why: z.string() })).optional(),
});

const TRIES = 5;
const PAUSE_MS = 3_000;
const MIN_DIGITS = 12;
const MAX_REASON = 256;

export async function putPolicy(wanted: Publication, ports: PublicationPorts): Promise<Outcome> {
  const url = new URL('/operator/policy', wanted.broker);
  const headers = { authorization: `Bearer ${wanted.token}` };
  const read = await answered(ports, () => ports.fetch(url, { headers }));
  if (read === undefined) return OUT_OF_REACH;
  if (read.status !== 200) return refused(read);
  const inForce = inForceShape.parse(read.body);
  if (isSame(wanted.text, inForce.policy))
    return { kind: 'in force', lines: [`${inForce.version} was in force already`] };
  if (!mayReplace(inForce, wanted.replace, ports)) return foreign(inForce);

  const { text, reason, commit, confirm } = wanted;
  const body = gzipSync(
    JSON.stringify({
      policy: JSON.parse(text),
      reason: reason.slice(0, MAX_REASON),
      ...(commit !== undefined && { commit }),
      confirm,
    }),
  );
  const put = await answered(ports, () =>
    ports.fetch(url, {
      method: 'PUT',
      headers: {
        ...headers,
        'if-match': `"${inForce.version}"`,
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body,
    }),
  );
  if (put === undefined) return OUT_OF_REACH;
  if (put.status !== 200) return refused(put);
  const { version, changes, touched } = appliedShape.parse(put.body);
  return {
    kind: 'in force',
    lines: [
      `${version} is in force on every instance`,
      ...changes,
      ...touched.map(
        ({ resource, before, after, count }) =>
          `${count} request(s) of the last week for ${resource}: ${before} before, ${after} now`,
      ),
    ],
  };
}

function mayReplace(
  inForce: InForceNow,
  replace: string | undefined,
  { history }: PublicationPorts,
): boolean {
  const isNamed =
    replace !== undefined && replace.length >= MIN_DIGITS && inForce.version.startsWith(replace);
  return isNamed || cameFromHere(inForce, history());
}

function foreign({ version, how, by, at, reason }: z.infer<typeof inForceShape>): Outcome {
  return {
    kind: 'refused',
    lines: [
      `nothing was changed: the version in force did not come from this repository: ${version}`,
      `it was ${how ?? 'put in force'} by ${by ?? 'somebody'} at ${at ?? 'an unknown time'}: ${reason ?? 'no reason is known'}`,
      `take it over into the repository, or run the workflow by hand with replace: ${version.slice(0, MIN_DIGITS)}`,
    ],
  };
}

const OUT_OF_REACH: Outcome = {
  kind: 'out of reach',
  lines: ['the broker does not answer; run the step again, which is safe'],
};

function refused({ status, body }: Answer): Outcome {
  const read = problemShape.safeParse(body);
  if (!read.success) return { kind: 'refused', lines: [`the broker answered ${status}`] };
  const { detail, problems = [], confirmations = [] } = read.data;
  const names = confirmations.map(({ name }) => name).join(',');
  return {
    kind: 'refused',
    lines: [
      `${status}: ${detail}`,
      ...problems,
      ...confirmations.map(({ name, why }) => `${name}: ${why}`),
      ...(names === '' ? [] : [`to confirm, run the workflow by hand with confirm: ${names}`]),
    ],
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Tries again while the broker, or the way to it, is down. @returns undefined where it stays so */
async function answered(
  { sleep }: PublicationPorts,
  ask: () => Promise<Response>,
): Promise<Answer | undefined> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const answer = await ask().then(
      async (response) => ({ status: response.status, body: await json(response) }),
      () => undefined,
    );
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) return answer;
    if (attempt < TRIES) await sleep(attempt * PAUSE_MS);
  }
  return undefined;
}

/** A proxy in front may answer with a page. */
async function json(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
