/** What is wrong with a value, in words for the author of the file: no term of the parser, no regular expression. */
import * as z from 'zod';
import { didYouMean } from './nearest.ts';

/** For `safeParse(json, { error: inWords })`. The path is written before it: `grants[0].rate: is missing`. */
export const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing${exampleOf(issue.inst)}`
        : `must be ${WANTED[issue.expected] ?? 'something else'}, and is ${sortOf(issue.input)}${exampleOf(issue.inst)}`;
    case 'unrecognized_keys':
      return unknownMembers(issue.keys, issue.inst);
    case 'invalid_value':
      return oneOf(issue.values.map(String), issue.input);
    case 'invalid_union':
      return Array.isArray(issue['options']) && issue.discriminator !== undefined
        ? oneOf(issue['options'].map(String), memberOf(issue.input, issue.discriminator))
        : 'has none of the forms that are known here';
    case 'too_small':
      if (issue.origin === 'array') return 'needs at least one entry';
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    default:
      return 'does not have the form that is wanted here';
  }
};

/** A value as it was written, cut short. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}
const MAX_QUOTED = 120;

const WANTED: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list in [ ]',
  object: 'an object in { }',
};

function sortOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'true or false';
  return Number.isInteger(value) ? 'a number' : 'a fraction';
}

function exampleOf(schema: unknown): string {
  const [example] = schema instanceof z.ZodType ? ((schema.meta()?.['examples'] ?? []) as unknown[]) : [];
  return example === undefined ? '' : `, for example ${JSON.stringify(example)}`;
}

function unknownMembers(names: readonly string[], schema: unknown): string {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return names
    .map(
      (name) =>
        `there is no member ${quoted(name)} here${didYouMean(name, known, `; the members are ${known.join(', ')}`)}`,
    )
    .join('; ');
}

function oneOf(values: readonly string[], input: unknown): string {
  const texts = values.map((value) => `"${value}"`);
  const choice = [texts.slice(0, -1).join(', '), texts.at(-1)].filter(Boolean).join(' or ');
  if (input === undefined) return `is missing: ${choice}`;
  return `must be ${choice}, and is ${quoted(input)}${typeof input === 'string' ? didYouMean(input, values) : ''}`;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
