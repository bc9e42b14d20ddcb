/** `npm run rotation`: what the rotation does next and did last, and rotating now, from a terminal. */
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandLine, wrongUsage } from '../../command-line.ts';
import type { Plan } from '../../rotation/planned.ts';
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
    if (command === 'plan' || resource === undefined) return tellPlan(await plans(environment));
    if (command === 'history') return tellHistory(await plans(environment), resource);
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

async function plans(environment: Environment): Promise<readonly Plan[]> {
  return (await ask(environment, 'rotation'))['resources'] as Plan[];
}
/** Asks, and follows the demand until the rotator has begun with it or said why not. */
async function rotateNow(environment: Environment, resource: string, body: object): Promise<void> {
  const { demand } = await ask(environment, `rotation/${encodeURIComponent(resource)}`, body);
  const path = `demands/${demand}`;
  const giveUpAt = performance.now() + MAX_WAIT_MS;
  let found = await ask(environment, path);
  while ((found['state'] === 'waiting' || found['state'] === 'running') && performance.now() < giveUpAt) {
    await wait(LOOK_EVERY_MS);
    found = await ask(environment, path);
  }
  const { state, why } = found;
  if (state === 'begun') return console.log(`${resource}: a rotation has begun\n  ${why}`);
  if (state === 'notBegun' || state === 'failed')
    return console.log(`${resource}: no rotation has begun: ${why}`);
  console.log(
    `${resource}: asked for, and the rotator has not begun yet\n  GET /operator/${path} tells more`,
  );
}

function tellPlan(planned: readonly Plan[]): void {
  for (const {
    resource,
    state,
    next,
    at,
    blocked,
    code,
    todo,
    rotatedAt,
    keysBornAt,
    dueAt,
    overdue,
  } of planned) {
    console.log(`${resource}: ${state}`);
    console.log(`  next      ${next}${at === undefined ? ' (with the next tick)' : ` (until ${at})`}`);
    if (blocked !== undefined) console.log(`  blocked   ${blocked}${code === undefined ? '' : ` (${code})`}`);
    if (todo !== undefined) console.log(`  to do     ${todo}`);
    if (dueAt !== undefined) {
      console.log(`  rotated   ${rotatedAt ?? 'not since the account was adopted'}`);
      console.log(`  keys of   ${keysBornAt?.Key1} (Key1), ${keysBornAt?.Key2} (Key2)`);
      console.log(`  due       ${dueAt}${overdue ? ' OVERDUE' : ''}`);
    }
  }
}

function tellHistory(planned: readonly Plan[], resource: string): void {
  for (const step of planned.find((plan) => plan.resource === resource)?.steps ?? []) {
    const lags = [
      step.newKeyLagSeconds === undefined ? '' : `, new key accepted within ${step.newKeyLagSeconds} s`,
      step.oldKeyLagSeconds === undefined ? '' : `, old key refused within ${step.oldKeyLagSeconds} s`,
    ];
    const emergency = step.emergency ? ' [emergency]' : '';
    console.log(
      `${step.at}  ${step.from} -> ${step.to}, after ${step.tookSeconds} s: ${step.why}${lags.join('')}${emergency}`,
    );
  }
}

/** A full rotation before one's eyes. */
async function watch(resource: string, speed: string): Promise<void> {
  await using local = await startLocal(['--speed', speed]);
  const environment = locally(local.description);
  await rotateNow(environment, resource, { reason: 'npm run rotation -- watch' });
  let told = '';
  for (;;) {
    const planned = (await plans(environment)).find((plan) => plan.resource === resource);
    if (planned === undefined) throw new Error(`no resource ${resource} whose keys rotate`);
    const fresh = planned.steps.filter(({ at }) => at > told).reverse();
    for (const step of fresh) tellHistory([{ ...planned, steps: [step] }], resource);
    told = fresh.at(-1)?.at ?? told;
    if (planned.state === 'steady' && told !== '') return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
