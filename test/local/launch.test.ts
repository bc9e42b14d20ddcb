import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readOptions } from '../../src/local/options.ts';
import { descendants, described, isAlive, type Started, start, startLauncher, until } from './started.ts';

const run = promisify(execFile);
const started: Started[] = [];
let folder: string | undefined;
afterEach(async () => {
  for (const each of started.splice(0)) {
    if (each.process.exitCode === null && each.process.signalCode === null) each.process.kill('SIGTERM');
    await each.exited;
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});
function up(...args: string[]): Started {
  const launcher = startLauncher(...args);
  started.push(launcher);
  return launcher;
}
const pidOf = ({ process }: Started) => process.pid ?? 0;
const json = async (url: string) =>
  (await (await fetch(url)).json()) as Record<'now' | 'status' | 'state', string>;
const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const refused = (url: string) =>
  fetch(url).then(
    () => false,
    () => true,
  );
const stillThere = (pids: readonly number[]) =>
  execFileSync('ps', ['-o', 'pid=,ppid=,stat=,args=', '-p', pids.join()], { encoding: 'utf8' });
async function endsWithin(ms: number, pids: readonly number[]): Promise<void> {
  const from = performance.now();
  while (pids.some(isAlive)) {
    if (performance.now() - from > ms) assert.fail(stillThere(pids));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('npm start', () => {
  it('with --json writes one line on stdout when all answers, and leaves nothing after SIGINT', async () => {
    const npm = start('npm', ['start', '--silent', '--', '--json', '--port', '0', '--instances', '2']);
    started.push(npm);
    const description = await described(npm);
    const { instances, control } = description;
    assert.equal(npm.stdout().trim().split('\n').length, 1);
    assert.equal(instances.length, 2);
    assert.equal(description.broker, instances[0]);
    for (const instance of instances) {
      assert.equal((await json(`${instance}/health`)).status, 'ok');
      assert.equal((await json(`${instance}/admin/host/status`)).state, 'Running');
    }
    for (const service of ['keyVault', 'arm', 'tables', 'control']) {
      assert.ok(URL.canParse(description[service]), service);
    }
    assert.equal(description.environment.issuer.BROKER_ISSUER, description.broker);
    assert.deepEqual(description.apps.issuer, instances);
    assert.equal(description.apps.rotator.length, 1);
    assert.ok(readFileSync(description.ca, 'utf8').startsWith('-----BEGIN CERTIFICATE-----'));

    await hasOneVirtualTime(npm, instances, control);
    await hasAClockThatIsOff(npm, instances, control);
    await startsAgain(npm, instances[1]);
    // Also of the process that took the place of the one that crashed.
    await until(npm, async () => Math.abs((await aheadOf(instances)) - 90_000) < 5000);
    await tellsThatItsPortIsTaken(new URL(description.broker).port);

    const pids = descendants(pidOf(npm));
    assert.ok(pids.length >= 4);
    npm.process.kill('SIGINT');
    await endsWithin(5000, pids);
    assert.ok(!existsSync(dirname(description.ca)));
    for (const url of [...instances, control]) assert.ok(await refused(url));
  });

  it('with --data survives a kill with tables and time, and nothing else of it does', async () => {
    folder = mkdtempSync(join(tmpdir(), 'launch-data-'));
    const first = up('--json', '--port', '0', '--data', folder);
    const { control } = await described(first);
    assert.equal((await post(`${control}/clock`, { advanceSeconds: 7 * 86_400 })).status, 204);
    const ahead = Date.parse((await json(`${control}/clock`)).now);
    await anotherStartIsRefused(folder, pidOf(first));
    assert.ok(!(await refused(`${control}/clock`)));
    const pids = descendants(pidOf(first));
    first.process.kill('SIGKILL');
    await endsWithin(5000, pids);
    const kept = readFileSync(join(folder, 'tables.jsonl'), 'utf8').trim().split('\n');
    assert.ok(kept.length > 0);

    const second = await theOneThatStarts(folder);
    await commandsWorkAsPasted(second);
    assert.ok(readFileSync(join(folder, 'clock.json'), 'utf8').includes('aheadMs'));
    const inLog = readFileSync(join(folder, 'broker.log'), 'utf8');
    assert.match(inLog, new RegExp(`^${new Date(ahead).toISOString().slice(11, 15)}`, 'm'));
    const now = readFileSync(join(folder, 'tables.jsonl'), 'utf8');
    const tables = kept.filter((line) => line.startsWith('["$TABLES_COLLECTION$"'));
    assert.ok(tables.length >= 3);
    for (const line of tables) assert.ok(now.includes(line));

    // However its children hang.
    const left = descendants(pidOf(second));
    for (const pid of left) process.kill(pid, 'SIGSTOP');
    second.process.kill('SIGTERM');
    await endsWithin(5000, [...left, pidOf(second)]);
  });

  it('with a wrong option says which, and exits with 2', async () => {
    const wrong: [string[], RegExp][] = [
      [['--port', 'x'], /--port must be a number/],
      [['--speed', '0'], /--speed must be above 0/],
      [['--instances', '0'], /--instances/],
      [['--policy', '/no/such/file'], /--policy: there is no file/],
      [
        ['--policy', join(import.meta.dirname, 'host/app/host.json')],
        /--policy: [\s\S]*tenants[\s\S]*version/,
      ],
    ];
    for (const [args, message] of wrong) assert.throws(() => readOptions(args), { message });
    const launcher = up('--unknown');
    assert.equal(await launcher.exited, 2);
    assert.match(launcher.stderr(), /--unknown[\s\S]*npm start --/);
    assert.equal(launcher.stdout(), '');
  });
});

async function anotherStartIsRefused(folder: string, owner: number) {
  // These are written at every start.
  const files = () =>
    ['ca.pem', 'policy.json', 'owner.json'].map((name) => statSync(join(folder, name)).mtimeMs);
  const before = files();
  const other = up('--json', '--port', '0', '--data', folder);
  assert.equal(await other.exited, 1);
  assert.match(
    other.stderr(),
    new RegExp(`is in use by process ${owner} since ${new Date().getFullYear()}-`),
  );
  assert.equal(other.stdout(), '');
  assert.deepEqual(files(), before);
}

/** Two starts at once after a crash: exactly one has the folder, and says so to the other. */
async function theOneThatStarts(folder: string): Promise<Started> {
  const both = [1, 2].map(() => up('--port', '0', '--data', folder));
  const left = await Promise.race(both.map((one) => one.exited.then(() => one)));
  assert.equal(await left.exited, 1);
  assert.match(left.stderr(), /is in use by/);
  const [winner] = both.filter((one) => one !== left);
  assert.ok(winner);
  await until(winner, () => winner.stdout().includes('Ctrl-C'));
  return winner;
}

/** Also: timers fire in the rotator alone. */
async function hasOneVirtualTime(launcher: Started, instances: readonly string[], control: string) {
  const before = Date.parse((await json(`${control}/clock`)).now);
  assert.ok(Math.abs(before - Date.now()) < 5000);
  assert.equal((await post(`${control}/clock`, { advanceSeconds: 86_400 })).status, 204);
  for (const instance of instances) {
    const at = Date.parse((await fetch(`${instance}/health`)).headers.get('date') ?? '');
    assert.ok(at - before >= 86_399_000 && at - before < 86_430_000, `${at - before}`);
  }
  const fired = () =>
    launcher
      .stderr()
      .split('\n')
      .filter((line) => line.includes("Executing 'Functions.rotate'"))
      .map((line) => line.split(' ')[1]);
  await until(launcher, () => fired().length > 0);
  assert.deepEqual(fired(), ['rotator']);
}

/** By how much the second instance's clock is ahead of the first one's. */
async function aheadOf(instances: readonly string[]): Promise<number> {
  const [first = 0, second = 0] = await Promise.all(
    instances.map(async (url) => Date.parse((await fetch(`${url}/health`)).headers.get('date') ?? '')),
  );
  return second - first;
}

async function hasAClockThatIsOff(launcher: Started, instances: readonly string[], control: string) {
  const put = (name: string, offsetMs: number) =>
    fetch(`${control}/clocks/${encodeURIComponent(name)}`, {
      method: 'PUT',
      body: JSON.stringify({ offsetMs }),
    });
  assert.equal((await put(instances[1] ?? '', -30_000)).status, 204);
  await until(launcher, async () => Math.abs((await aheadOf(instances)) + 30_000) < 5000);
  assert.equal((await put('instance-2', 90_000)).status, 204);
  assert.equal((await post(`${control}/clock`, { advanceSeconds: 60 })).status, 204);
  await until(launcher, async () => Math.abs((await aheadOf(instances)) - 90_000) < 5000);
  assert.equal((await put('tables', 1000)).status, 204);
  assert.equal((await put('instance-3', 0)).status, 400);
}

async function startsAgain(launcher: Started, instance: string) {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,args=']);
  const named = stdout.split('\n').filter((line) => line.includes('"name":"instance-2"'));
  const crashed = descendants(pidOf(launcher)).filter((pid) =>
    named.some((line) => Number.parseInt(line, 10) === pid),
  );
  assert.equal(crashed.length, 1);
  for (const pid of crashed) process.kill(pid, 'SIGKILL');
  await until(launcher, () => launcher.stderr().includes('instance-2: ended by SIGKILL; starting it again'));
  await until(launcher, async () => !(await refused(`${instance}/health`)));
  assert.equal((await json(`${instance}/health`)).status, 'ok');
}

async function tellsThatItsPortIsTaken(port: string) {
  const other = up('--json', '--port', port);
  assert.equal(await other.exited, 1);
  assert.match(
    other.stderr(),
    new RegExp(
      `port ${port} is taken by a local mode that is running already: its broker is http://127.0.0.1:${port}, .* npm start -- --port N`,
    ),
  );
}

async function commandsWorkAsPasted(launcher: Started) {
  const text = launcher.stdout();
  const command = /sh (\S+first-token\.sh)/.exec(text)?.[0] ?? '';
  const { stdout } = await run('bash', ['-c', command]);
  for (const shown of [
    'token_kind: sts',
    '"text":"[de] Hello"',
    'token_kind: obo',
    '"content":"You said: Hello"',
  ])
    assert.ok(stdout.split('\n').includes(shown), stdout);
  const rows = stdout.trimEnd().split('\n');
  assert.ok(rows.length <= 20 && rows.every((row) => row.length <= 80), `larger than a screen:\n${stdout}`);
  // The whole token is for programs; a screen shows its beginning.
  assert.doesNotMatch(stdout, /[\w-]{30,}\.[\w-]{30,}/);
  const [, env = ''] = /\. (\S+env\.sh)/.exec(text) ?? [];
  const asked = await run('bash', [
    '-c',
    `. ${env} && curl -sS "$BROKER/health" "$AZURE_AUTHORITY_HOST/$AZURE_TENANT_ID/v2.0/.well-known/openid-configuration"`,
  ]);
  assert.match(asked.stdout, /"issuer"/);

  const log = /tail -f (\S+)/.exec(text)?.[1] ?? '';
  await until(launcher, () => readFileSync(log, 'utf8').includes('resource=chat'));
  assert.match(
    readFileSync(log, 'utf8'),
    /^\d\d:\d\d:\d\d exchange outcome=granted resource=translator kind=sts/m,
  );
}
