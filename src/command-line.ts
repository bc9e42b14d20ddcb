/** Reading options, `--help` and wrong options, for the commands of this repository (`npm run …`). */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Read<Config extends ParseArgsConfig> = ReturnType<typeof parseArgs<Config>>;

/**
 * Reads the options of a command. `--help` prints the usage and ends with 0; an option that the command does not
 * take prints what is wrong, then the usage, and ends with 2.
 * @param usage begins with the line to type, for example `npm run check -- [--policy FILE]`
 */
export function readCommandLine<const Config extends ParseArgsConfig>(
  usage: string,
  config: Config,
  args: readonly string[] = process.argv.slice(2),
): Read<Config> {
  const isHelp = args.some((arg) => arg === '--help' || arg === '-h');
  if (isHelp) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ ...config, args: [...args] }) as Read<Config>;
  } catch (error) {
    return wrongUsage(usage, error instanceof Error ? error.message : String(error));
  }
}

/** Ends the command with 2: what is wrong with how it was called, then the usage. */
export function wrongUsage(usage: string, what: string): never {
  console.error(`${what}\n\n${usage}`);
  process.exit(2);
}
