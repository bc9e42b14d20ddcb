/** `policy check FILE`: every problem of a policy, and with `--against` who would gain or lose. */
import { changesInWords } from '../../policy/changes.ts';
import type { Policy } from '../../policy/schema.ts';
import { policyWarnings } from '../../policy/warnings.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { EXIT } from '../failure.ts';
import { type Loaded, load, policyInForce } from '../policy-in-force.ts';
import { type Style, styleFor } from '../render/style.ts';
import { type WhatIf, whatIfText } from '../render/what-if.ts';
import { openSession } from '../session.ts';
import { readText } from './what-if.ts';

const DAY_MS = 86_400_000;

interface Result {
  readonly file: string;
  readonly valid: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly changes?: readonly string[];
  readonly againstProblems?: readonly string[];
  readonly whatIf?: WhatIf;
}

export async function run({ world, args: [file = ''], options }: Call): Promise<number> {
  const text = readText(file);
  const read = load(text);
  const against = textOption(options, 'against');
  const about =
    'problems' in read
      ? { valid: false, problems: read.problems, warnings: [] }
      : { valid: true, problems: [], warnings: policyWarnings(read) };
  let compared: Partial<Result> = {};
  if (against !== undefined && !('problems' in read)) {
    if (!/^https?:/.test(against)) compared = difference(load(readText(against)), read);
    else {
      const session = await openSession(world, { ...options, broker: against });
      const api = operatorApi(world, session);
      const now = session.nowMs();
      const inForce = await policyInForce(api);
      const whatIf = await api.ask<WhatIf>('what-if', {
        policy: JSON.parse(text),
        from: new Date(now - DAY_MS).toISOString(),
        to: new Date(now).toISOString(),
      });
      compared = { ...(inForce !== undefined && difference(inForce, read)), whatIf };
    }
  }
  const result: Result = { file, ...about, ...compared };
  const style = styleFor(world, world.stdout);
  const { columns: width } = world.stdout;
  world.stdout.write(
    options.json ? `${JSON.stringify(result)}\n` : textOf(result, read, against, { style, width }),
  );
  return result.valid && result.againstProblems === undefined ? EXIT.done : EXIT.failed;
}

function difference(before: Loaded, after: Policy): Pick<Result, 'changes' | 'againstProblems'> {
  return 'problems' in before
    ? { againstProblems: before.problems }
    : { changes: changesInWords(before, after) };
}

function textOf(
  { file, problems, warnings, changes, againstProblems = [], whatIf }: Result,
  read: Loaded,
  against: string | undefined,
  view: { readonly style: Style; readonly width: number | undefined },
): string {
  const { style } = view;
  const lines = [
    ...problems.map((problem) => style.bad(problem)),
    ...againstProblems.map((problem) => style.bad(`${against}: ${problem}`)),
    ...warnings.map((warning) => style.warn(`warning: ${warning}`)),
    ...(changes?.length === 0 ? ['the two say the same'] : (changes ?? [])),
    ...(whatIf === undefined ? [] : [whatIfText(whatIf, view).trimEnd()]),
    ...('problems' in read
      ? []
      : [
          style.good(
            `${file}: a valid policy, ${read.resources.length} resources, ${read.grants.length} grants`,
          ),
        ]),
  ];
  return `${lines.join('\n')}\n`;
}
