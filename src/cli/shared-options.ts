/** The options that every command takes. */
import type { OptionSpec } from './command.ts';

export const SHARED_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--broker <url>',
    about: 'the broker (default: AZURE_AI_TOKEN_BROKER, else the running local mode)',
  },
  {
    flags: '--scope <scope>',
    about: 'the scope of your token for it (default: AZURE_AI_TOKEN_BROKER_SCOPE)',
  },
  { flags: '--as <name>', about: 'a person or app of the local mode' },
  { flags: '--json', about: 'one JSON document on stdout' },
  { flags: '--utc', about: 'exact times instead of relative ones' },
];
