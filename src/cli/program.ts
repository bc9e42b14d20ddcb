/** From the arguments to the command: commander parses and tells usage, everything else is ours. */
import { Command, CommanderError, Option } from 'commander';
import type { Call, CommandSpec, OptionSpec } from './command.ts';
import { CommandFailure, EXIT } from './failure.ts';
import { PROGRAM } from './program-name.ts';
import { SHARED_OPTIONS } from './shared-options.ts';
import { SPECS } from './specs.ts';
import type { World } from './world.ts';

const CODES = `Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 out of reach, 4 not signed in
or not allowed; run ends as its program does.`;

/** @returns the exit code. Whatever went wrong is told on stderr, in words. */
export async function runCommandLine(world: World, args: readonly string[]): Promise<number> {
  const [own, program] = splitProgram(args);
  let exitCode: number = EXIT.done;
  const root = build(world, async (spec, given, options) => {
    const { run } = await spec.load();
    exitCode = (await run({ world, args: given, options, program, specs: SPECS })) ?? EXIT.done;
  });
  try {
    await root.parseAsync([...own], { from: 'user' });
    return exitCode;
  } catch (error) {
    return told(world, error, own.includes('--json'));
  }
}

/** A program's own options are none of ours. */
function splitProgram(args: readonly string[]): readonly [readonly string[], readonly string[]] {
  const at = args.indexOf('--');
  return at === -1 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
}

type Act = (spec: CommandSpec, args: readonly string[], options: Call['options']) => Promise<void>;

function build(world: World, act: Act): Command {
  const root = new Command(PROGRAM)
    .description('Short-lived Azure AI tokens for programs, and the keys behind them for operators.')
    .usage('<command> [options]')
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(text),
      getOutHelpWidth: () => world.stdout.columns ?? 80,
      getErrHelpWidth: () => world.stderr.columns ?? 80,
    })
    .helpCommand(false)
    .addHelpText('after', `\n${PROGRAM} <command> --help has examples.\n${CODES}`)
    .exitOverride();
  for (const option of SHARED_OPTIONS) root.addOption(optionOf(option));
  const groups = new Map<string, Command>();
  for (const spec of SPECS) {
    const [first = '', second] = spec.name.split(' ');
    if (second !== undefined && !groups.has(first)) groups.set(first, groupOf(root, first));
    const parent = second === undefined ? root : (groups.get(first) ?? root);
    const command = parent.command(`${second ?? first} ${spec.args}`.trim());
    command
      .description(spec.about)
      .exitOverride()
      .addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  ${PROGRAM} ${line}`).join('\n')}`);
    if (spec.takesProgram) command.usage(`[options] ${spec.args} -- <program> [arguments]`);
    for (const option of spec.options) command.addOption(optionOf(option));
    command.action(async () => act(spec, command.args, command.optsWithGlobals()));
    groups.set(spec.name, command);
  }
  root.allowExcessArguments().action(() => {
    const [unknown] = root.args;
    const what = unknown === undefined ? 'No command is named.' : `There is no command ${unknown}.`;
    throw new CommandFailure('usage', what, `${PROGRAM} --help lists them.`);
  });
  return root;
}

/** A word that is no command by itself, as `policy` is. */
function groupOf(root: Command, name: string): Command {
  const names = SPECS.flatMap((spec) =>
    spec.name.startsWith(`${name} `) ? [spec.name.slice(name.length + 1)] : [],
  );
  const group = root.command(name).description(`${names.join(', ')}: ${name} ${names[0]} --help tells more`);
  return group
    .exitOverride()
    .helpCommand(false)
    .allowExcessArguments()
    .action(() => {
      throw new CommandFailure(
        'usage',
        `${name} goes with one of ${names.join(', ')}.`,
        `${PROGRAM} ${name} ${names[0]} --help`,
      );
    });
}

function optionOf({ flags, about, choices, many, required }: OptionSpec): Option {
  const option = new Option(flags, about);
  if (choices !== undefined) option.choices([...choices]);
  if (many) option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
  return option.makeOptionMandatory(required === true);
}

function told({ stderr }: World, error: unknown, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CommandFailure) {
    const { message, nextStep, exitCode } = error;
    const body = { error: message, ...(nextStep !== undefined && { nextStep }), exitCode };
    stderr.write(
      json ? `${JSON.stringify(body)}\n` : `${message}\n${nextStep === undefined ? '' : `${nextStep}\n`}`,
    );
    return exitCode;
  }
  // A mistake of ours. Its message is not shown: nobody knows what it quotes.
  const where =
    error instanceof Error ? (error.stack ?? '').split('\n').find((line) => line.includes(' at ')) : '';
  stderr.write(
    `Something in this command is wrong (${error instanceof Error ? error.name : 'unknown'}${where}).\n`,
  );
  return EXIT.failed;
}
