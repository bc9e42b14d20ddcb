/**
 * What a reviewer of a change of the policy is told, as a comment of its pull request. Pure. The author of the change
 * writes a part of these texts (the name of an app role may be anything), so nothing of them may end the block that
 * they are in, or hide what follows.
 */
import { createConfirmations } from '../src/exchange/confirmations.ts';
import { changesInWords } from '../src/policy/changes.ts';
import { PolicyError } from '../src/policy/load.ts';
import { compileVersion, type PolicyVersion, shortVersion } from '../src/policy/version.ts';
import { policyWarnings } from '../src/policy/warnings.ts';
import { uncoveredAccounts } from './agree.ts';
import type { Environment } from './environments.ts';

export interface ReviewedPolicy {
  /** The text before the change; undefined: the repository had none. */
  readonly before: string | undefined;
  readonly after: string;
  /** What the apps have roles on; undefined: it is not in this repository. */
  readonly environment: Environment | undefined;
  /** The broker's own tenant, from which its operators come; undefined: not known here. */
  readonly homeTenantId: string | undefined;
}
export interface Review {
  /** False: the broker would refuse the policy. */
  readonly isValid: boolean;
  readonly comment: string;
}

/** By this the workflow finds its comment again, and writes it anew. */
export const MARKER = '<!-- azure-ai-token-broker: policy -->';
/** A comment on GitHub has at most 65,536 characters. */
const MAX_CHARACTERS = 60_000;
const MAX_LINES = 300;

export function reviewOf({ before, after, environment, homeTenantId }: ReviewedPolicy): Review {
  const next = versionIn(after);
  if (next instanceof PolicyError)
    return {
      isValid: false,
      comment: written([
        `The policy has ${next.problems.length} problem(s) and cannot come into force.`,
        block(next.problems),
      ]),
    };
  const old = before === undefined ? undefined : versionIn(before);
  return {
    isValid: true,
    comment: written([
      ...differenceParts(old, next),
      ...(old === undefined || old instanceof PolicyError ? [] : confirmationParts(old, next, homeTenantId)),
      ...roleParts(next, environment),
      ...part('Warnings', policyWarnings(next.policy)),
      `Version \`${shortVersion(next.version)}\`. When it is applied, the broker compares the requests of the last week too.`,
    ]),
  };
}

function differenceParts(old: PolicyVersion | PolicyError | undefined, next: PolicyVersion): string[] {
  if (old === undefined) return ['There is no policy before this one to compare with.'];
  if (old instanceof PolicyError)
    return ['The policy before this one is not valid, so that the two cannot be compared.'];
  const changes = changesInWords(old.policy, next.policy);
  if (changes.length === 0) return ['The policy says the same as before: nobody gains or loses anything.'];
  return [
    'What this change does. The comparison is exact: of all possible callers, nobody else gains or loses a kind of token, or a longer life of it.',
    block(changes),
  ];
}

function confirmationParts(old: PolicyVersion, next: PolicyVersion, homeTenantId = ''): string[] {
  const needed = createConfirmations(homeTenantId)(old, next, { requests: [], unkept: 0 });
  return part(
    'To be confirmed by name when it is applied',
    needed.map(({ name, why }) => `${name}: ${why}`),
  );
}

function roleParts({ policy }: PolicyVersion, environment: Environment | undefined): string[] {
  if (environment === undefined) return [];
  return part(
    'Roles that the apps do not have yet. This does not hold the change back, but tokens of these accounts will fail',
    uncoveredAccounts(policy, environment).flatMap(({ resource, lacks }) =>
      lacks.map((what) => `${resource}: ${what}`),
    ),
  );
}

function versionIn(text: string): PolicyVersion | PolicyError {
  try {
    return compileVersion(text);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

const part = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:`, block(lines)];

function block(lines: readonly string[]): string {
  const more = lines.length - MAX_LINES;
  const shown = more > 0 ? [...lines.slice(0, MAX_LINES), `and ${more} more`] : lines;
  const shortened = shown.map((line) => cut(plain(line), MAX_LINE_CHARACTERS));
  let left = MAX_BLOCK_CHARACTERS;
  const fitting = shortened.filter((line) => {
    left -= line.length + 1;
    return left >= 0;
  });
  const without = shortened.length - fitting.length;
  return [
    '```text',
    ...fitting,
    ...(without > 0 ? [`and ${without} more lines, which do not fit here`] : []),
    '```',
  ].join('\n');
}
/** There are four blocks at most. */
const MAX_BLOCK_CHARACTERS = MAX_CHARACTERS / 4 - 1_000;
const MAX_LINE_CHARACTERS = 2_000;
const cut = (line: string, most: number): string => (line.length > most ? `${line.slice(0, most)}…` : line);

/** Without what could end the block, or show another text than is there (line ends, marks of direction, invisible ones). */
const plain = (line: string): string => line.replaceAll(/[\p{C}\p{Zl}\p{Zp}`]/gu, '\u{FFFD}');

const written = (parts: readonly string[]): string => `${[MARKER, ...parts].join('\n\n')}\n`;
