/** What a change of the policy would do or did, for a terminal or as the comment on a pull request. */
import type { View } from './accounts.ts';
import type { WhatIf } from './what-if.ts';

export interface PolicyChange {
  readonly version: string;
  readonly already?: boolean;
  readonly dryRun?: boolean;
  readonly changes: readonly string[];
  readonly touched: WhatIf['changed'];
  readonly confirmations?: readonly { readonly name: string; readonly why: string }[];
}

const MAX_TOUCHED = 20;

function touchedLines(touched: PolicyChange['touched']): string[] {
  const lines = touched
    .slice(0, MAX_TOUCHED)
    .map(
      ({ caller, resource, tokenKind, before, after, count }) =>
        `${caller.objectId}: ${tokenKind ?? 'no token'} for ${resource}, ${count} times in the last week, was ${before} and would be ${after}`,
    );
  const more = touched.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

export function policyChangeText(
  { version, already, changes, touched, confirmations = [] }: PolicyChange,
  done: boolean,
  { style }: Pick<View, 'style'>,
): string {
  const lines = [
    ...(changes.length === 0 && !already ? ['nothing changes'] : changes),
    ...(touched.length > 0 ? ['', 'Of the requests of the last week:', ...touchedLines(touched)] : []),
    ...confirmations.map(({ name, why }) => style.warn(`needs --confirm ${name}: ${why}`)),
    ...(done
      ? [
          style.good(
            `version ${version} ${already ? 'was in force already' : 'is in force on every instance'}`,
          ),
        ]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Texts of a policy go into code spans, so that none of them is taken for Markdown. */
export function policyChangeMarkdown({
  version,
  changes,
  touched,
  confirmations = [],
}: PolicyChange): string {
  const list = (items: readonly string[]): string[] =>
    items.map((item) => `- \`${item.replaceAll('`', "'")}\``);
  return `${[
    '### What this change of the policy does',
    '',
    ...(changes.length === 0 ? ['Nothing: the policy in force says the same.'] : list(changes)),
    '',
    '**Requests of the last week that would be answered otherwise**',
    '',
    ...(touched.length === 0 ? ['None.'] : list(touchedLines(touched))),
    ...(confirmations.length === 0
      ? []
      : [
          '',
          '**To confirm by name when it is applied**',
          '',
          ...confirmations.map(({ name, why }) => `- \`${name}\`: ${why}`),
        ]),
    '',
    `Version \`${version}\`. Nobody else gains or loses anything.`,
  ].join('\n')}\n`;
}
