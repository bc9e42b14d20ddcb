/** `policy check FILE`: every problem of a policy, and with `--against` who would gain or lose. */

import { accessDifference, inSentence } from '../../policy/difference.ts';
import { loadPolicy, PolicyError } from '../../policy/load.ts';
import type { Policy } from '../../policy/schema.ts';
import { policyWarnings } from '../../policy/warnings.ts';
import { type Call, textOption } from '../command.ts';
import { EXIT } from '../failure.ts';
import { styleFor } from '../render/style.ts';
import { readText } from './what-if.ts';

export async function run({ world, args: [file = ''], options }: Call): Promise<number> {
  const read = load(file);
  const against = textOption(options, 'against');
  const before = against === undefined || 'problems' in read ? undefined : load(against);
  const result = {
    file,
    valid: !('problems' in read),
    problems: 'problems' in read ? read.problems : [],
    warnings: 'problems' in read ? [] : policyWarnings(read),
    ...(before !== undefined &&
      !('problems' in before) &&
      !('problems' in read) && { changes: accessDifference(before, read).map(inSentence) }),
    ...(before !== undefined && 'problems' in before && { againstProblems: before.problems }),
  };
  const isFine = result.valid && result.againstProblems === undefined;
  if (options.json) world.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const style = styleFor(world, world.stdout);
    const { problems, warnings, changes, againstProblems = [] } = result;
    const lines = [
      ...problems.map((problem) => style.bad(problem)),
      ...againstProblems.map((problem) => style.bad(`${against}: ${problem}`)),
      ...warnings.map((warning) => style.warn(`warning: ${warning}`)),
      ...(changes?.length === 0 ? ['nobody gains or loses a kind of token'] : (changes ?? [])),
      ...('problems' in read
        ? []
        : [
            style.good(
              `${file}: a valid policy, ${read.resources.length} resources, ${read.grants.length} grants`,
            ),
          ]),
    ];
    world.stdout.write(`${lines.join('\n')}\n`);
  }
  return isFine ? EXIT.done : EXIT.failed;
}

function load(file: string): Policy | { readonly problems: readonly string[] } {
  try {
    return loadPolicy(readText(file));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { problems: error.message.split('\n') };
  }
}
