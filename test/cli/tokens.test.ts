import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { SHAPES } from '../../src/cli/schemas.ts';
import { callerToken, deliver, ownEvent, startLocal } from '../local/local-mode.ts';
import { firstLine, run, start } from './command.ts';

let local: Awaited<ReturnType<typeof startLocal>>;
let broker: readonly string[];
before(async () => {
  local = await startLocal();
  broker = ['--broker', local.description.broker];
});
after(() => local[Symbol.asyncDispose]());

const shapeOf = (name: string) => SHAPES[name] ?? assert.fail(name);

test('token prints a token and nothing else, in four forms', async () => {
  const as = ['token', 'speech', '--as', 'captions', ...broker];
  const plain = await run(as);
  assert.equal(plain.code, 0);
  assert.match(plain.out, /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.equal(plain.err, '');
  assert.match((await run([...as, '--header'])).out, /^Authorization: Bearer eyJ\S+\n$/);
  assert.match(
    (await run([...as, '--env'])).out,
    /^AZURE_AI_TOKEN=eyJ\S+\nAZURE_AI_ENDPOINT=https:\S+\nAZURE_AI_REGION=westeurope\nAZURE_AI_TOKEN_EXPIRES_AT=2\S+Z\n$/,
  );
  const json = shapeOf('token').parse(JSON.parse((await run([...as, '--json'])).out)) as {
    tokenKind: string;
  };
  assert.equal(json.tokenKind, 'sts');
  const both = await run([...as, '--json', '--env']);
  assert.equal(both.code, 2);
  assert.equal(both.out, '');
});

test('whoami tells who one is, what one may have, and that the broker does not know somebody', async () => {
  const ada = await run(['whoami', '--as', 'ada', ...broker]);
  assert.equal(ada.code, 0);
  assert.match(ada.out, /^you +ada@example\.test$/m);
  assert.match(ada.out, /^may have +chat \(obo\)$/m);
  const outsider = await run(['whoami', '--as', 'outsider', '--json', ...broker]);
  assert.equal(outsider.code, 4);
  const seen = shapeOf('whoami').parse(JSON.parse(outsider.out)) as { accepted: boolean };
  assert.equal(seen.accepted, false);
});

test('each way to fail has its exit code and a next step, and puts nothing on stdout', async () => {
  const cases = [
    [
      ['token', 'nope', '--as', 'captions', ...broker],
      1,
      /invalid_target[\s\S]*explain [0-9a-f]{32} tells why/,
    ],
    [['token', 'speech', '--as', 'nobody', ...broker], 2, /nobody named nobody[\s\S]*captions/],
    [['token'], 2, /missing required argument/],
    [['token', 'speech', '--kind', 'gold', ...broker], 2, /sts[\s\S]*obo/],
    [['nonsense'], 2, /no command nonsense[\s\S]*--help/],
    [['run', 'speech', '--as', 'captions', ...broker], 2, /No program is named/],
    [['proxy', 'speech', '--as', 'captions', '--port', 'x', ...broker], 2, /--port/],
    [['token', 'speech', ...broker], 4, /--as/],
    [['token', 'speech', '--broker', 'http://evil.example'], 2, /https/],
    [['token', 'speech', '--broker', 'http://127.0.0.1:9', '--as', 'ada'], 2, /none that runs/],
  ] as const;
  for (const [args, code, says] of cases) {
    const ran = await run(args);
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.err}`);
    assert.match(ran.err, says);
    assert.equal(ran.out, '');
  }
  const json = await run(['token', 'nope', '--as', 'captions', '--json', ...broker]);
  assert.equal(JSON.parse(json.err).exitCode, 1);
});

test('a broker that is not there ends with 3', async () => {
  const environment = {
    AZURE_AUTHORITY_HOST: local.description.entra.authority,
    AZURE_TENANT_ID: local.description.entra.tenantId,
    AZURE_CLIENT_ID: 'd2a8c5e1-7f04-4b39-86d1-e9b3a0c74f51',
    AZURE_CLIENT_SECRET: 'local-captions',
    NODE_EXTRA_CA_CERTS: local.description.ca,
    AZURE_AI_TOKEN_BROKER_SCOPE: local.description.entra.scope,
  };
  const gone = await run(['token', 'speech', '--broker', 'http://127.0.0.1:9'], environment);
  assert.equal(gone.code, 3, gone.err);
  assert.match(gone.err, /was not reached/);
  // The same credential, as every tool of Azure finds it, with a broker that is there.
  const { broker: url } = local.description;
  const there = await run(['token', 'speech'], { ...environment, AZURE_AI_TOKEN_BROKER: url });
  assert.equal(there.code, 0, there.err);
});

/** What an app of today does: it names no broker, and asks whoever DefaultAzureCredential finds. */
const APP = `
import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
const token = await new DefaultAzureCredential().getToken('https://cognitiveservices.azure.com/.default');
const chosen = process.argv[1];
const other = chosen && await new ManagedIdentityCredential({ clientId: chosen }).getToken('https://ai.azure.com/.default');
console.log(JSON.stringify({ token: (other || token).token, left: (other || token).expiresOnTimestamp - Date.now(),
  secret: process.env.AZURE_CLIENT_SECRET ?? 'none' }));
`;

test('an unchanged program that uses DefaultAzureCredential gets broker tokens under run', async () => {
  const app = ['--', process.execPath, '--input-type=module', '-e', APP];
  const env = { AZURE_CLIENT_SECRET: 'of the command alone', AZURE_CLIENT_ID: 'x', AZURE_TENANT_ID: 'y' };
  const one = await run(['run', 'chat', '--as', 'ada', ...broker, ...app], env);
  assert.equal(one.code, 0, one.err);
  const { token, left, secret } = JSON.parse(one.out);
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  assert.equal(claims.aud, 'https://cognitiveservices.azure.com');
  assert.ok(left > 600_000 && left < 90 * 60_000, String(left));
  assert.equal(secret, 'none');
});

test('openai with DefaultAzureCredential calls the account under run, whatever authorities the machine names', async () => {
  const { ca, resources } = local.description;
  const endpoint = resources.find(({ name }) => name === 'chat')?.endpoint ?? assert.fail();
  const app = `
    import { DefaultAzureCredential, getBearerTokenProvider } from '@azure/identity';
    import OpenAI from 'openai';
    const apiKey = getBearerTokenProvider(new DefaultAzureCredential(), 'https://cognitiveservices.azure.com/.default');
    const openai = new OpenAI({ baseURL: '${endpoint}/openai/v1', apiKey, maxRetries: 0 });
    const { choices } = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
    console.log(choices[0].message.content);`;
  const other = join(ca, '..', 'no-such-file.pem');
  const ran = await run(
    ['run', 'chat', '--as', 'ada', ...broker, '--', process.execPath, '--input-type=module', '-e', app],
    { NODE_EXTRA_CA_CERTS: other },
  );
  assert.equal(ran.code, 0, ran.err);
  assert.notEqual(ran.out.trim(), '');
});

test('with several accounts the client id says which', async () => {
  const { description } = local;
  const both = description.callers.find(({ may }) => may.length > 1) ?? assert.fail('nobody may have two');
  const [first, second] = both.may.map(({ resource }) => resource);
  const code = APP.replace(/^const token = .*$/m, 'const token = undefined;');
  const ran = await run([
    ...['run', first ?? '', second ?? '', '--as', both.name, ...broker],
    ...['--', process.execPath, '--input-type=module', '-e', code, second ?? ''],
  ]);
  assert.equal(ran.code, 0, ran.err);
  const unnamed = await run([
    ...['run', first ?? '', second ?? '', '--as', both.name, ...broker],
    ...['--', process.execPath, '--input-type=module', '-e', APP],
  ]);
  assert.notEqual(unnamed.code, 0);
  assert.match(unnamed.err, new RegExp(`say as client id which, ${first} or ${second}`));
});

test('run ends as its program does, and passes on its streams and signals', async () => {
  const as = ['run', 'speech', '--as', 'captions', ...broker, '--'];
  assert.equal((await run([...as, 'sh', '-c', 'exit 7'])).code, 7);
  assert.equal((await run([...as, 'sh', '-c', 'kill -9 $$'])).code, 137);
  const cat = await run([...as, 'cat'], {}, 'through');
  assert.deepEqual([cat.code, cat.out], [0, 'through']);
  const absent = await run([...as, 'no-such-program']);
  assert.equal(absent.code, 127);
  assert.match(absent.err, /no such program/);
  const trap = start([
    ...as,
    'sh',
    '-c',
    'trap "echo got; exit 3" TERM; echo up; for i in $(seq 900); do sleep 0.05; done',
  ]);
  await firstLine(trap);
  trap.child.kill('SIGTERM');
  const { code, out } = await trap.ended;
  assert.deepEqual([code, out], [3, 'up\ngot\n']);
});

test('when the program has ended nobody listens any more', async () => {
  const ran = await run([
    'run',
    'speech',
    '--as',
    'captions',
    ...broker,
    '--',
    'sh',
    '-c',
    'echo $IDENTITY_ENDPOINT',
  ]);
  await assert.rejects(fetch(ran.out.trim()), /fetch failed/);
});

test('proxy: the openai package streams a chat with a base URL and a dummy key', async () => {
  const proxy = start(['proxy', 'chat', '--as', 'ada', '--json', ...broker]);
  try {
    const { url, key } = shapeOf('proxy').parse(JSON.parse(await firstLine(proxy))) as {
      url: string;
      key: string;
    };
    const openai = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: key });
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    });
    let said = '';
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
    assert.notEqual(said, '');
  } finally {
    proxy.child.kill('SIGINT');
  }
  assert.equal((await proxy.ended).code, 0);
});

test('a revoked caller under run and behind proxy is told so, in a bounded number of tries', async () => {
  const { description } = local;
  const { tenantId, clientId } =
    description.callers.find(({ name }) => name === 'translations') ?? assert.fail();
  const [{ resource = '' } = {}] = description.callers.find(({ name }) => name === 'translations')?.may ?? [];
  const as = ['--as', 'translations', ...broker];
  const proxy = start(['proxy', resource, ...as]);
  const [url = '', key = ''] = (await firstLine(proxy)).split(' ');
  const app = APP.replace(
    'const token =',
    'await new Promise((resolve) => process.stdin.once("data", resolve)); process.stdin.destroy();\nconst token =',
  );
  const running = start([
    'run',
    resource,
    ...as,
    '--',
    process.execPath,
    '--input-type=module',
    '-e',
    `console.log('up');${app}`,
  ]);
  await firstLine(running);
  await callerToken(description, 'operator');
  const scope = { kind: 'client', tenantId, clientId };
  const data = { scope, block: true, reason: 'a test' };
  assert.equal(await deliver(description.broker, [ownEvent('RevocationRequested', data)]), 202);
  try {
    // What is held may still be good at the account; the next token is refused.
    const controlled = await fetch(`${description.control}/clock`, {
      method: 'POST',
      body: JSON.stringify({ advanceSeconds: 700 }),
    });
    assert.ok(controlled.ok);
    running.child.stdin?.write('go\n');
    const ran = await running.ended;
    assert.notEqual(ran.code, 0);
    assert.match(ran.err, /invalid_request|revoked/);
    const answer = await fetch(`${url}/x`, { headers: { 'api-key': key } });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /no longer accepted|revoked|invalid_request/);
    const fresh = await run(['token', resource, ...as]);
    assert.equal(fresh.code, 1);
  } finally {
    proxy.child.kill('SIGTERM');
    await proxy.ended;
  }
});
