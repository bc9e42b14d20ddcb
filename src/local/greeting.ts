/** What `npm start` tells a person: at most twenty rows of eighty columns, and what to do next at the end. */
import { join } from 'node:path';
import type { Description } from './launch.ts';
import type { Published } from './publish.ts';

/**
 * @param folder where everything of this start is kept
 * @param policyFile of the person's own
 */
export function greeting(
  description: Description,
  folder: string,
  policy?: Pick<Published, 'version' | 'changed'>,
  policyFile?: string,
): string {
  const { instances, resources, callers, console: page } = description;
  const first = callers.find(({ may }) => may.length > 0);
  const command = 'npx azure-ai-token-broker';
  const rows = [
    'The token broker is running on this machine, with a simulated Azure of its own.',
    '',
    ...listed('broker', instances),
    ...listed(
      'accounts',
      resources.map(({ name }) => name),
    ),
    ...listed(
      'callers',
      callers.map(({ name }) => name),
    ),
    ...(policyFile !== undefined && policy?.changed
      ? [`  policy    that of --policy, over the one that was in force here (${policy.version.slice(0, 12)})`]
      : []),
    `  files     ${folder}`,
    '            (description.json has every address; the demo secrets are in it)',
    '            (for PowerShell: the .ps1 files beside the .sh files)',
    '',
    `Next, open ${page} in a browser; in a second terminal:`,
    '',
    // This command alone, so that they are the same in bash and in PowerShell.
    ...steps([
      ...(first === undefined
        ? []
        : ([
            ['get a token', `${command} token ${first.may[0]?.resource} --as ${first.name}`],
            ['see the keys', `${command} status`],
            ['end an access', `${command} revoke --user ${first.name} --reason try`],
          ] as const)),
      ['by curl alone', `sh ${join(folder, 'first-token.sh')}`],
      ['for programs', `. ${join(folder, 'env.sh')}`],
      ['the log', `tail -f ${logFileIn(folder)}`],
    ]),
    '',
    'npm start -- --help tells more (--speed 60: see a rotation). Ctrl-C ends it all.',
  ];
  return `${rows.join('\n')}\n`;
}

const WIDTH = 80;

/** As many names as one row holds; the rest is counted. */
function listed(what: string, names: readonly string[]): string[] {
  const start = `  ${what.padEnd(10)}`;
  for (let shown = names.length; shown > 0; shown -= 1) {
    const rest = names.length - shown;
    const row = `${start}${names.slice(0, shown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
    if (row.length <= WIDTH || shown === 1) return [row];
  }
  return [];
}

/** What each command does, then the command: its folder may have a name that is longer than a row. */
function steps(commands: readonly (readonly [does: string, command: string])[]): string[] {
  const column = Math.max(...commands.map(([does]) => does.length)) + 2;
  return commands.map(([does, command]) => `  ${does.padEnd(column)}${command}`);
}

/** The log that a second terminal follows. */
export const logFileIn = (folder: string): string => join(folder, 'broker.log');

/** What `--json` prints, for commands in a second terminal. */
export const descriptionFileIn = (folder: string): string => join(folder, 'description.json');
