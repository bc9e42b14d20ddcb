/**
 * Every fenced block of the documents and every example in a docstring is run as it stands, against the local mode, or
 * is named here with the reason why it is not. `infra/README.md` and `infra/POLICY.md` have tests of their own, in
 * `infra/` and `policy/`.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Stack, startStack } from './flows/stack.ts';

const root = join(import.meta.dirname, '..');
const execute = promisify(execFile);

/** By the file and the block's first row. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'README.md: your app                      the broker                           Azure': 'a drawing',
  'README.md: npm ci && npm start': 'it installs from a registry; .ci/matrix runs it',
  'README.md: {': 'an answer; it is compared with a real one below',
  'README.md: npm cit': 'it runs this very test',
  'README.md: GET  /operator/policy                    the policy in force, and its ETag': 'a list of routes',
  'README.md: callers with tenant 00000000-0000-4000-8000-000000000001 and group 00000000-0000-4000-8000-000000000004 may now have entra tokens for speech, chat':
    'the comment of a pull request; infra/policy-comment.test.ts writes it again',
  'README.md: grants[2] (nightly-speech).callers[0]: a user may have entra tokens for chat, and obo tokens by grants[1] (people-chat).callers[0]: what Conditional Access refuses on behalf of them, they get without':
    'the same',
  ".github/CONTRIBUTING.md: npm ci                # Node 24 comes with it (the package `node`); the machine's own Node may be older":
    'the whole suite; each command of ours is tried by command-line.test.ts',
  'src/README.md: flowchart TD': 'a drawing',
  'src/README.md: sequenceDiagram': 'a drawing',
};

/** What a block that is run must show, and as whom it signs in where it is not the caller of env.sh. */
const SHOWS: Readonly<Record<string, { readonly shows: RegExp; readonly caller?: string }>> = {
  'README.md: CALLER_TOKEN=$(curl -s "$ENTRA_TOKEN_URL" -d grant_type=client_credentials -d scope="$BROKER_SCOPE" \\':
    { shows: /"token_kind":"sts"/ },
  "README.md: import { EnvironmentCredential } from '@azure/identity';": { shows: /^200 from https:/m },
  "README.md: import * as oauth from 'openid-client';": { shows: /^good for [0-9]{2,} s at https:/m },
  'README.md: npm run check -- --allow-placeholders': { shows: /the policy has every role it needs/ },
  'README.md: npx azure-ai-token-broker token speech --env': {
    shows: /^AZURE_AI_TOKEN=eyJ[\s\S]*^http:\/\/127\.0\.0\.1:\d+\/msi\/token$/m,
  },
  'README.md: npx azure-ai-token-broker status': { shows: /^speech +\S/m },
  'README.md: npx azure-ai-token-broker revoke --user ada --reason "a lost laptop"': {
    shows: /^The user ada is revoked, in force on every instance after \d+ ms\.$/m,
  },
  'test/README.md: npm run simulate -- --runs 1 --seed 4711 --trace': {
    shows: /does regenerate Key1 of speech[\s\S]*\n1 schedules in .*, 0 violations/,
  },
  "src/client/broker-token.ts: import { EnvironmentCredential } from '@azure/identity';": {
    shows: /^200 from https:/m,
  },
  "src/client/caller.ts: import { EnvironmentCredential } from '@azure/identity';": { shows: /^sts$/m },
  "src/client/fetch-with-broker.ts: import { EnvironmentCredential } from '@azure/identity';": {
    shows: /^200 from https:/m,
  },
  "src/client/speech-credential.ts: import { EnvironmentCredential } from '@azure/identity';": {
    shows: /^ready$/m,
  },
  "src/client/credential.ts: import { EnvironmentCredential, getBearerTokenProvider } from '@azure/identity';":
    {
      shows: /^You said: Hello$/m,
      caller: 'nightly',
    },
};

interface Block {
  readonly file: string;
  readonly language: string;
  readonly code: string;
  readonly key: string;
}
const blocks = [
  ...globSync(['*.md', '.github/*.md', 'src/**/*.md', 'test/**/*.md'], { cwd: root }),
  ...globSync(['src/**/*.ts', 'functions/*.ts', 'infra/*.ts'], { cwd: root }),
].flatMap(blocksOf);

function blocksOf(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8');
  const prefix = file.endsWith('.md') ? '' : ' *\\* ?';
  const fenced = [
    ...text.matchAll(new RegExp(`^${prefix}\`\`\`(\\w*)\\n([\\s\\S]*?)^${prefix}\`\`\`$`, 'gm')),
  ];
  // A fence or an example that is written in another way would be passed over.
  assert.equal(fenced.length * 2, text.match(new RegExp(`^${prefix}\`\`\`(?!\`)`, 'gm'))?.length ?? 0, file);
  for (const [, next] of text.matchAll(/^ *\* @example.*\n(.*)$/gm)) assert.match(next ?? '', /```/, file);
  return fenced.map(([, language = '', indented = '']) => {
    const code = indented.replaceAll(new RegExp(`^${prefix}`, 'gm'), '');
    return { file, language, code, key: `${file}: ${code.trim().split('\n')[0]}` };
  });
}

/** So that the commands find this local mode and no other. */
const folder = mkdtempSync(join(tmpdir(), 'code-blocks-'));
let stack: Stack;
before(async () => {
  stack = await startStack([], { TMPDIR: folder });
  await stack.warm();
});
after(async () => {
  await stack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** With the variables of env.sh, as a reader has them who has sourced it. */
async function run({ file, language, code, key }: Block): Promise<string> {
  const { description } = stack;
  const caller = description.callers.find(({ name }) => name === SHOWS[key]?.caller);
  const endpointOf = (wanted: string) => description.resources.find(({ name }) => name === wanted)?.endpoint;
  const own = {
    TMPDIR: folder,
    npm_config_update_notifier: 'false',
    CHAT_ENDPOINT: endpointOf('chat'),
    SPEECH_ENDPOINT: endpointOf('speech'),
    ...(caller && { CALLER_ID: caller.clientId, CALLER_SECRET: caller.clientSecret }),
  };
  const variables = `. '${join(dirname(description.ca), 'env.sh')}'
[ -z "\${CALLER_ID:-}" ] || export AZURE_CLIENT_ID=$CALLER_ID AZURE_CLIENT_SECRET=$CALLER_SECRET
`;
  const command =
    language === 'ts' ? 'exec "$0" --input-type=module-typescript --eval "$1"' : `set -eu\n${code}`;
  const { stdout } = await execute('sh', ['-c', `${variables}${command}`, process.execPath, code], {
    // A docstring's imports begin at its file.
    cwd: file.endsWith('.ts') ? join(root, dirname(file)) : root,
    env: { ...process.env, ...own },
  });
  return stdout;
}

for (const block of blocks.filter(({ key }) => !(key in NOT_RUN)))
  test(`${block.file} runs as it stands: ${block.key.slice(block.file.length + 2)}`, async () => {
    const wanted = SHOWS[block.key];
    assert.ok(wanted, `say in this test what the block shows, or why it is not run: ${block.key}`);
    assert.match(await run(block), wanted.shows);
  });

test("the README's answer has the members and the kinds of values of a real one", async () => {
  const [shown] = blocks.filter(({ language }) => language === 'json');
  const { body } = await stack.exchange(await stack.callerToken('captions'), 'speech');
  const kinds = (answer: object) => Object.entries(answer).map(([name, value]) => [name, typeof value]);
  const answer: Record<string, unknown> = JSON.parse(shown?.code ?? '{}');
  assert.deepEqual(kinds(answer), kinds(body));
  for (const name of ['issued_token_type', 'token_type', 'token_kind', 'region'])
    assert.equal(answer[name], body[name]);
  const words = ({ revocation }: Record<string, unknown>) => String(revocation).replaceAll(/[0-9]+/g, 'N');
  assert.equal(words(answer), words(body));
});

test('every block is run or is named with a reason, and nothing else is named', (context) => {
  const keys = new Set(blocks.map(({ key }) => key));
  for (const named of [...Object.keys(NOT_RUN), ...Object.keys(SHOWS)])
    assert.ok(keys.has(named), `no such block: ${named}`);
  const left = blocks.filter(({ key }) => key in NOT_RUN);
  context.diagnostic(`${blocks.length} blocks: ${blocks.length - left.length} run, ${left.length} not`);
  for (const { key } of left) context.diagnostic(`not run: ${key.slice(0, 60)}: ${NOT_RUN[key]}`);
});
