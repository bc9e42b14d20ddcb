/**
 * Revocations while no clock is right: `node test/flows/skew-trials.ts --trials 2000 --seed 1`.
 *
 * In each round Entra's clock and those of the three instances are off by up to a minute, each by its own, and
 * something of every kind of scope is revoked, by an event or by an operator, at any of the instances. The token
 * is tried at all of them before, at once after the call returned, and again when every clock has passed the
 * token's date. One that is granted after the return is late.
 */

import { MAX_CLOCK_OFF_SECONDS, MAX_CLOCKS_DIFFER_SECONDS } from '../../src/clocks.ts';
import { readCommandLine } from '../../src/command-line.ts';
import {
  callerNamed,
  callerToken,
  deliver,
  exchange,
  type LocalDescription,
  ownEvent,
  startLocal,
} from '../local/local-mode.ts';
import { createChance } from '../simulation/random.ts';

/** In this order: what a kind cuts off, the kinds after it do not use. */
const KINDS = ['token', 'subject', 'user', 'grant', 'resource', 'client', 'tenant'] as const;
type Kind = (typeof KINDS)[number];
const INSTANCES = 3;
const MAX_DELIVERIES = 5;

export interface SkewTrials {
  readonly seed: number;
  readonly trials: number;
  readonly byKind: Readonly<Record<Kind, number>>;
  /** Exchanges granted before the revocation: without them nothing was tried. */
  readonly grantedBefore: number;
  /** Exchanges granted though they began after the revocation's call had returned. */
  readonly late: number;
  readonly lateKinds: readonly string[];
  /** Neither granted nor refused. */
  readonly unavailable: number;
  readonly seconds: number;
}

export async function skewTrials(trials: number, seed: number): Promise<SkewTrials> {
  const startedAt = performance.now();
  await using local = await startLocal(['--instances', String(INSTANCES)]);
  const { description } = local;
  const chance = createChance(seed);
  const byKind = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  const lateKinds: string[] = [];
  let grantedBefore = 0;
  let late = 0;
  let unavailable = 0;
  let tried = 0;

  /** How many instances grant; a refusal is any other answer of theirs, an outage none. */
  const granted = async ({ token, resource, tokenKind }: Shown): Promise<number> => {
    const answers = await Promise.all(
      description.instances.map((broker) => exchange(broker, token, resource, tokenKind)),
    );
    unavailable += answers.filter(({ status }) => status >= 500).length;
    return answers.filter(({ status }) => status === 200).length;
  };
  const countLate = (count: number, kind: Kind, offsets: object): void => {
    late += count;
    if (count > 0) lateKinds.push(`${kind} ${JSON.stringify(offsets)}`);
  };

  while (tried < trials) {
    // The next round's tokens are dated after all the cut-offs of this one, however the clocks differ.
    await control(description, 'POST', '/clock', { advanceSeconds: 2 * MAX_CLOCKS_DIFFER_SECONDS + 5 });
    const names = ['entra', ...description.instances.map((_, index) => `instance-${index + 1}`)];
    const maxMs = MAX_CLOCK_OFF_SECONDS * 1000;
    const offsets = Object.fromEntries(
      // Half of them at the ends, where what is wrong shows first.
      names.map((name) => [
        name,
        chance.is(0.5) ? chance.pick([-maxMs, maxMs]) : chance.between(-maxMs, maxMs),
      ]),
    );
    for (const [name, offsetMs] of Object.entries(offsets))
      await control(description, 'PUT', `/clocks/${name}`, { offsetMs });
    const revoked: { shown: Shown; kind: Kind }[] = [];
    for (const kind of KINDS.slice(0, trials - tried)) {
      const shown = await show(description, kind);
      grantedBefore += await granted(shown);
      const broker = description.instances[chance.between(0, INSTANCES - 1)] ?? description.broker;
      await revoke(description, broker, shown.scope, chance.is(0.5));
      countLate(await granted(shown), kind, offsets);
      revoked.push({ shown, kind });
      byKind[kind] += 1;
      tried += 1;
    }
    await control(description, 'POST', '/clock', { advanceSeconds: MAX_CLOCKS_DIFFER_SECONDS });
    for (const { shown, kind } of revoked) countLate(await granted(shown), kind, { later: true, ...offsets });
  }
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return { seed, trials: tried, byKind, grantedBefore, late, lateKinds, unavailable, seconds };
}

interface Shown {
  readonly token: string;
  readonly resource: string;
  readonly tokenKind?: string;
  /** Of which the token is a part. */
  readonly scope: object;
}

async function show(description: LocalDescription, kind: Kind): Promise<Shown> {
  const { tenantId } = description.entra;
  const own = { uti: crypto.randomUUID(), oid: crypto.randomUUID(), sub: crypto.randomUUID() };
  switch (kind) {
    case 'token':
    case 'subject':
    case 'user': {
      // A caller of its own for each trial, dated by Entra's clock.
      const like = claimsOf(await callerToken(description, 'captions'));
      const { token } = await control(description, 'POST', '/entra/sign', { claims: { ...like, ...own } });
      const scopes = {
        token: { kind, tenantId, uti: own.uti },
        subject: { kind, tenantId, subject: own.sub },
        user: { kind, tenantId, objectId: own.oid },
      };
      return { token: String(token), resource: 'speech', scope: scopes[kind] };
    }
    case 'grant':
      return {
        token: await callerToken(description, 'captions'),
        resource: 'speech',
        scope: { kind, name: 'captions' },
      };
    case 'resource': {
      const token = await callerToken(description, 'translations');
      return { token, resource: 'translator', scope: { kind, name: 'translator' } };
    }
    case 'client': {
      const { clientId } = callerNamed(description, 'nightly');
      const token = await callerToken(description, 'nightly');
      return { token, resource: 'chat', tokenKind: 'entra', scope: { kind, tenantId, clientId } };
    }
    case 'tenant':
      return { token: await callerToken(description, 'ada'), resource: 'chat', scope: { kind, tenantId } };
  }
}

/** By the event, or by an operator; either again until it is acknowledged, as Event Grid and people do. */
async function revoke(
  description: LocalDescription,
  broker: string,
  scope: object,
  byEvent: boolean,
): Promise<void> {
  const event = ownEvent('RevocationRequested', { scope });
  const authorization = `Bearer ${await callerToken(description, 'operator')}`;
  const body = JSON.stringify({ scope, reason: 'a trial' });
  for (let delivery = 1; delivery <= MAX_DELIVERIES; delivery += 1) {
    const status = byEvent
      ? await deliver(broker, [event])
      : (await fetch(`${broker}/operator/revocations`, { method: 'POST', headers: { authorization }, body }))
          .status;
    if (status === 202 || status === 200) return;
    // Too new a token for a clock that is behind: the event does not need one.
    if (status === 401) return revoke(description, broker, scope, true);
  }
  throw new Error('the revocation is not acknowledged');
}

async function control(
  { control: url }: LocalDescription,
  method: string,
  path: string,
  body: object,
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}${path}`, { method, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

if (import.meta.main) {
  const usage = `node test/flows/skew-trials.ts [--trials N] [--seed N]

  --trials N  revocations to try (default 100)
  --seed N    of the clocks, and of who revokes (default 1)`;
  const { values } = readCommandLine(usage, {
    options: { trials: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
  });
  const report = await skewTrials(Number(values.trials), Number(values.seed));
  console.log(JSON.stringify(report));
  if (report.late > 0 || report.grantedBefore === 0) process.exitCode = 1;
}
