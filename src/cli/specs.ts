/** Every command: names, help and where its code is. */
import { TOKEN_KINDS } from '../token-kind.ts';
import type { CommandSpec, OptionSpec } from './command.ts';

const KIND: OptionSpec = {
  flags: '--kind <kind>',
  about: 'of token (default: the first that the policy gives)',
  choices: TOKEN_KINDS,
};

const REASON: OptionSpec = { flags: '--reason <reason>', about: 'goes on record', required: true };
const NO_WAIT: OptionSpec = { flags: '--no-wait', about: 'end when it is asked for' };
const YES: OptionSpec = { flags: '--yes', about: 'ask nothing' };
const LIMIT: OptionSpec = { flags: '--limit <count>', about: 'how many at most' };
const SPAN: readonly OptionSpec[] = [
  { flags: '--from <time>', about: 'RFC 3339, or so long ago: 2h, 7d' },
  { flags: '--to <time>', about: 'likewise (default: now)' },
];
const SCOPE: readonly OptionSpec[] = [
  { flags: '--user <user>', about: 'an object id or a user principal name' },
  { flags: '--client <id>', about: 'a client id: every token of that app' },
  { flags: '--tenant <id>', about: 'a whole tenant; beside the others, their tenant' },
  { flags: '--token <uti>', about: 'one token by its uti; - reads the token on stdin' },
  { flags: '--resource <account>', about: 'everybody for this account' },
  { flags: '--grant <grant>', about: 'everybody by this grant' },
];

export const SPECS: readonly CommandSpec[] = [
  {
    name: 'token',
    args: '<resource>',
    about: 'Print a token for an account',
    options: [
      KIND,
      { flags: '--header', about: 'as an Authorization header, for curl -H' },
      { flags: '--env', about: 'as lines NAME=VALUE, with endpoint, region and expiry' },
    ],
    examples: ['token speech', 'token chat --as ada --json'],
    completes: 'resources',
    load: () => import('./commands/token.ts'),
  },
  {
    name: 'run',
    args: '<resource...>',
    about: 'Run a program whose Azure SDK gets its tokens from the broker',
    options: [KIND],
    examples: ['run chat -- node app.js', 'run chat speech -- dotnet run'],
    completes: 'resources',
    takesProgram: true,
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'proxy',
    args: '<resource>',
    about: 'Serve an account on this machine, for programs that know only URL and key',
    options: [KIND, { flags: '--port <port>', about: 'where it listens (default: a free one)' }],
    examples: ['proxy chat', 'proxy chat --port 8080 --json'],
    completes: 'resources',
    load: () => import('./commands/proxy.ts'),
  },
  {
    name: 'whoami',
    args: '',
    about: 'Who you are to the broker, and what you may have',
    options: [],
    examples: ['whoami', 'whoami --as captions'],
    load: () => import('./commands/whoami.ts'),
  },
  {
    name: 'status',
    args: '[account]',
    about: 'Every account on a line, or one with its slots and history',
    options: [{ flags: '--watch', about: 'again every two seconds, until Ctrl-C' }],
    examples: ['status', 'status speech --utc', 'status --watch'],
    completes: 'resources',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'rotate',
    args: '<account>',
    about: 'Rotate the keys of an account now, and follow it to its end',
    options: [
      { flags: '--slot <slot>', about: 'only this one', choices: ['Key1', 'Key2'] },
      { flags: '--emergency', about: 'without waiting for the tokens that the key has bought' },
      REASON,
      NO_WAIT,
    ],
    examples: [
      'rotate speech --reason "a new region"',
      'rotate speech --slot Key1 --emergency --reason leaked',
    ],
    completes: 'resources',
    load: () => import('./commands/rotate.ts'),
  },
  {
    name: 'pause',
    args: '<account>',
    about: 'Begin no rotation of an account, but for an emergency',
    options: [REASON],
    examples: ['pause speech --reason "a launch today"'],
    completes: 'resources',
    load: () => import('./commands/pause.ts'),
  },
  {
    name: 'resume',
    args: '<account>',
    about: 'End a pause',
    options: [REASON],
    examples: ['resume speech --reason "it is launched"'],
    completes: 'resources',
    load: () => import('./commands/resume.ts'),
  },
  {
    name: 'revoke',
    args: '',
    about: 'End an access: says what ends when, acts, and counts down',
    options: [
      ...SCOPE,
      { flags: '--block', about: 'refuse tokens from later on too, until it is lifted' },
      REASON,
      YES,
      NO_WAIT,
    ],
    examples: [
      'revoke --user ada@example.com --reason "a lost laptop"',
      'revoke --client CLIENT_ID --block --reason leaked',
    ],
    load: () => import('./commands/revoke.ts'),
  },
  {
    name: 'lift',
    args: '',
    about: 'End the block of an access',
    options: [...SCOPE, REASON, YES],
    examples: ['lift --user ada@example.com --reason "it is found"'],
    load: () => import('./commands/lift.ts'),
  },
  {
    name: 'operation',
    args: '<id>',
    about: 'What came of an act',
    options: [],
    examples: ['operation 019abf6e-4a00-7c3d-9e15-b6f84a028e4d'],
    load: () => import('./commands/operation.ts'),
  },
  {
    name: 'explain',
    args: '[correlation-id]',
    about: 'Why a caller was refused, and what would change that',
    options: [
      { flags: '--caller <caller>', about: 'an id, a name of the local mode, or JSON' },
      { flags: '--resource <account>', about: 'what that caller asks for' },
      KIND,
    ],
    examples: ['explain 019abf6e4a007c3d9e15b6f84a028e4d', 'explain --caller ada --resource speech'],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'what-if',
    args: '<file>',
    about: 'Who would gain or lose, had a draft of the policy been in force',
    options: SPAN,
    examples: ['what-if policy.json --from 7d'],
    completes: 'files',
    load: () => import('./commands/what-if.ts'),
  },
  {
    name: 'audit',
    args: '',
    about: 'Who got tokens, who was refused, what operators did',
    options: [
      ...SPAN,
      { flags: '--resource <account>', about: 'only this one' },
      { flags: '--caller <id>', about: 'only this object id or client id' },
      {
        flags: '--outcome <outcome>',
        about: 'only these',
        choices: ['granted', 'refused', 'withheld', 'done', 'failed'],
      },
      LIMIT,
    ],
    examples: ['audit --from 2h --outcome refused', 'audit --resource speech --json'],
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'events',
    args: '',
    about: 'What came in and what it did',
    options: [LIMIT],
    examples: ['events', 'events --limit 20 --utc'],
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'policy check',
    args: '<file>',
    about: 'Every problem of a policy, and who gains or loses by it',
    options: [
      { flags: '--against <file-or-url>', about: 'a policy, or the broker whose policy in force is meant' },
    ],
    examples: ['policy check policy.json', 'policy check policy.json --against policy.old.json'],
    completes: 'files',
    load: () => import('./commands/policy-check.ts'),
  },
  {
    name: 'advise',
    args: '',
    about: 'Keys nobody needs, keys of unknown age, grants and rights nobody uses',
    options: [
      { flags: '--days <days>', about: 'of how many the use counts (default: 30)' },
      { flags: '--policy <file>', about: 'the policy, where the broker does not tell it' },
    ],
    examples: ['advise', 'advise --days 90 --policy policy.json'],
    load: () => import('./commands/advise.ts'),
  },
  {
    name: 'doctor',
    args: '',
    about: 'Whether all is well from here to the accounts, and what to do if not',
    options: [],
    examples: ['doctor', 'doctor --as auditor'],
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'leak',
    args: '[file...]',
    about: 'Find account keys in a text, and tell by hash which account they open',
    options: [
      { flags: '--rotate', about: 'rotate every slot that is found, as an emergency' },
      { flags: '--reason <reason>', about: 'goes on record, with --rotate' },
    ],
    examples: ['leak config.json', 'leak --rotate --reason "found in git" < log.txt'],
    completes: 'files',
    load: () => import('./commands/leak.ts'),
  },
  {
    name: 'schema',
    args: '[command...]',
    about: 'Print the JSON schema of what a command prints with --json',
    options: [],
    examples: ['schema token', 'schema audit verify'],
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'completion',
    args: '<shell>',
    about: 'Print the completion for bash, zsh, fish or pwsh',
    options: [],
    examples: ['completion bash >> ~/.bashrc', 'completion pwsh >> $PROFILE'],
    load: () => import('./commands/completion.ts'),
  },
];
