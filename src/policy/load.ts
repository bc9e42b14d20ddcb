import { type Draft, draftOf, placeOf } from './draft.ts';
import { faultText, jsonFault } from './json-fault.ts';
import { ruleProblems } from './rules.ts';
import { type Policy, policySchema } from './schema.ts';
import { inWords } from './words.ts';

/** The policy is not valid, so the app does not start. The message lists every problem with its path, one a line. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the policy has ${problems.length} problem(s):\n${problems.join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Parses the policy, and checks the rules that a schema cannot express. Both are done whatever the other one finds.
 * @param text the policy file, JSON
 * @throws PolicyError with every problem
 */
export function loadPolicy(text: string): Policy {
  const json = parseJson(text);
  const parsed = policySchema.safeParse(json, { error: inWords });
  // What was read whole needs no second reading, which takes as long as the first.
  const draft = parsed.data ?? draftOf(policySchema, json) ?? {};
  const problems = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${pathText(path, draft)}: ${message}`),
    ...ruleProblems(draft),
  ];
  if (!parsed.success || problems.length > 0) throw new PolicyError(problems);
  return parsed.data;
}

function parseJson(text: string): unknown {
  const fault = jsonFault(text);
  if (fault) throw new PolicyError([`not JSON: ${faultText(text, fault)}`]);
  return JSON.parse(text);
}

/** `grants[2] (captions).callers[0].tenant`; `policy` for the whole. */
function pathText(path: readonly PropertyKey[], draft: Draft<Policy>): string {
  const [list, index, ...rest] = path;
  const entries = Object.entries(draft).find(([name]) => name === list)?.[1];
  const start =
    typeof index === 'number' && Array.isArray(entries)
      ? placeOf(String(list), index, entries[index]?.name)
      : undefined;
  const text = (start === undefined ? path : rest)
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  return `${start ?? ''}${text}`.replace(/^\./, '') || 'policy';
}
