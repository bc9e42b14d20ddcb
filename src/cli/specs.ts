/** Every command: names, help and where its code is. */
import { TOKEN_KINDS } from '../token-kind.ts';
import type { CommandSpec, OptionSpec } from './command.ts';

const KIND: OptionSpec = {
  flags: '--kind <kind>',
  about: 'of token (default: the first that the policy gives)',
  choices: TOKEN_KINDS,
};

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
