/** `npm run rotation`: what the rotation does next and did last, and rotating now, from a terminal. */
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine, wrongUsage } from '../../command-line.ts';
import type { Operation } from '../../operations/operation.ts';
import type { Account, Step } from '../../rotation/shown.ts';
import { callerToken, type LocalDescription, openLocal, startLocal } from './local-mode.ts';

const usage = `npm run rotation -- COMMAND [options]

  plan               what happens next to each resource, when, what blocks it
  history RESOURCE   the last steps, the newest first
  now RESOURCE       rotate now, whatever is due
  watch [RESOURCE]   start a local mode in fast time and watch a full rotation
                     (default speech)

  --local FILE       the description of a running local mode, as npm start
                     writes it into its folder (default: the one that runs;
                     where none does, one is started for this command)
  --broker URL       a deployed broker; its operator's token in BROKER_TOKEN, of
                     az account get-access-token --query accessToken -o tsv \\
                       --scope api://CLIENT_ID/Broker.Operate
  --slot Key1|Key2   now: only this slot
  --emergency        now: without waiting for tokens bought with the key
  --reason TEXT      now: goes on record
  --speed X          watch: how fast time runs (default 120)`;

/** The rotator begins within seconds; where the queue lost the message, with its next tick. */
const MAX_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 500;

interface Environment {
  readonly broker: string;
  /** A token of somebody with both operator roles, or of the two people who have one each. */
  token(role: 'auditor' | 'operator'): Promise<string>;
}
try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = readCommandLine(usage, {
    allowPositionals: true,
    options: {
      local: { type: 'string' },
      broker: { type: 'string' },
      slot: { type: 'string' },
      emergency: { type: 'boolean', default: false },
      reason: { type: 'string', default: 'npm run rotation' },
      speed: { type: 'string', default: '120' },
    },
  });
  const [command, resource] = positionals;
  if (command === 'watch') return watch(resource ?? 'speech', values.speed);
  if (command !== 'plan' && command !== 'history' && command !== 'now')
    return wrongUsage(usage, command === undefined ? 'which command?' : `no such command: ${command}`);
  if (command !== 'plan' && resource === undefined) return wrongUsage(usage, 'which resource?');
  const run = async (environment: Environment): Promise<void> => {
    if (command === 'plan' || resource === undefined) return tellPlan(await accounts(environment));
    if (command === 'history') return tellSteps(await stepsOf(environment, resource));
    const { slot, emergency, reason } = values;
    await rotateNow(environment, resource, { emergency, reason, ...(slot ? { slot } : {}) });
    console.log('npm run rotation -- plan shows how it goes on');
  };
  if (values.broker !== undefined) {
    const token = process.env['BROKER_TOKEN'];
    if (!token) throw new Error('BROKER_TOKEN is not set');
    return run({ broker: values.broker, token: async () => token });
  }
  await using local = await openLocal(values.local);
  await run(locally(local.description));
}

function locally(description: LocalDescription): Environment {
  return { broker: description.broker, token: (role) => callerToken(description, role) };
}

async function ask(environment: Environment, path: string, body?: object): Promise<Record<string, unknown>> {
  const token = await environment.token(body === undefined ? 'auditor' : 'operator');
  const answer = await fetch(`${environment.broker}/operator/${path}`, {
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  const json = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`the broker answered ${answer.status}: ${json['detail'] ?? ''}`);
  return json;
}

async function accounts(environment: Environment): Promise<readonly Account[]> {
  const found: Account[] = [];
  for (let after: unknown = ''; after !== undefined; ) {
    const page = await ask(environment, `accounts?limit=1000${after === '' ? '' : `&after=${after}`}`);
    found.push(...(page['items'] as Account[]));
    after = page['next'];
  }
  return found.filter(({ rotates }) => rotates);
}
function pathOf(account: string): string {
  return `accounts/${encodeURIComponent(account)}`;
}
/** The last ones, the newest first. */
async function stepsOf(environment: Environment, account: string): Promise<readonly Step[]> {
  return (await ask(environment, `${pathOf(account)}/history?limit=20`))['items'] as Step[];
}
/** Asks, and follows the operation until the rotator has begun with it or said why not. */
async function rotateNow(environment: Environment, account: string, body: object): Promise<void> {
  const { operation } = await ask(environment, `${pathOf(account)}/rotate`, body);
  const path = `operations/${operation}`;
  const giveUpAt = performance.now() + MAX_WAIT_MS;
  const look = async () => (await ask(environment, path)) as unknown as Operation;
  let found = await look();
  while (found.state === 'running' && found.steps.length < 2 && performance.now() < giveUpAt) {
    await wait(LOOK_EVERY_MS);
    found = await look();
  }
  if (found.problem !== undefined)
    throw new Error(`${account}: no rotation has begun: ${found.problem.advice}`);
  const last = found.steps.at(-1);
  if (found.steps.length > 1) return console.log(`${account}: a rotation has begun\n  ${last?.what}`);
  console.log(`${account}: asked for, and the rotator has not begun yet\n  GET /operator/${path} tells more`);
}

function tellPlan(told: readonly Account[]): void {
  for (const { name, state, next, blocked, rotatedAt, slots = [], dueAt, overdue, paused } of told) {
    console.log(`${name}: ${state ?? 'not seen yet'}`);
    const at = next?.at === undefined ? ' (with the next tick)' : ` (until ${next.at})`;
    console.log(`  next      ${next?.what}${at}`);
    if (paused !== undefined) console.log(`  paused    by ${paused.by}: ${paused.reason}`);
    if (blocked !== undefined) console.log(`  blocked   ${blocked.what} (${blocked.code})`);
    if (blocked?.advice !== undefined) console.log(`  to do     ${blocked.advice}`);
    if (dueAt !== undefined) {
      console.log(`  rotated   ${rotatedAt ?? 'not since the account was adopted'}`);
      const ages = slots.map(({ slot, since = 'unknown' }) => `${since} (${slot})`);
      console.log(`  keys of   ${ages.join(', ')}`);
      console.log(`  due       ${dueAt}${overdue ? ' OVERDUE' : ''}`);
    }
  }
}

function tellSteps(steps: readonly Step[]): void {
  for (const { at, from, to, what, tookMs, emergency, newKeyLagMs, oldKeyLagMs } of steps) {
    const seconds = (ms: number): number => Math.round(ms / 1000);
    const lags = [
      newKeyLagMs === undefined ? '' : `, new key accepted within ${seconds(newKeyLagMs)} s`,
      oldKeyLagMs === undefined ? '' : `, old key refused within ${seconds(oldKeyLagMs)} s`,
    ];
    const mark = emergency ? ' [emergency]' : '';
    console.log(`${at}  ${from} -> ${to}, after ${seconds(tookMs)} s: ${what}${lags.join('')}${mark}`);
  }
}

/** A full rotation before one's eyes. */
async function watch(resource: string, speed: string): Promise<void> {
  await using local = await startLocal(['--speed', speed]);
  const environment = locally(local.description);
  await rotateNow(environment, resource, { reason: 'npm run rotation -- watch' });
  let told = '';
  for (;;) {
    const account = (await accounts(environment)).find(({ name }) => name === resource);
    if (account === undefined) throw new Error(`no account ${resource} whose keys rotate`);
    const fresh = (await stepsOf(environment, resource)).filter(({ at }) => at > told).reverse();
    tellSteps(fresh);
    told = fresh.at(-1)?.at ?? told;
    if (account.phase === 'steady' && told !== '') return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
