/** infra/POLICY.md: the reference of the policy, from the descriptions in its schema, and the examples. */
import * as z from 'zod';
import { EXAMPLES } from './examples.ts';
import { policySchema } from './schema.ts';

/** The parts of a JSON schema that the page shows. */
interface Described {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Described;
  readonly oneOf?: readonly Described[];
  readonly properties?: Readonly<Record<string, Described>>;
  readonly required?: readonly string[];
}

export function policyPage(): string {
  const schema = z.toJSONSchema(policySchema, { io: 'input' }) as Described;
  return `${[
    '# The policy\n\nWritten by `npm run schema` from `src/policy/schema.ts` and `src/policy/examples.ts`. Do not edit.',
    `${schema.description} A duration is a whole number and one unit: \`90s\`, \`10m\`, \`24h\`, \`30d\`. Ids are GUIDs in lower case. Members that are not listed here are refused. \`npm run check\` says every problem at once. An editor that knows JSON schemas shows this page's texts, if the file begins with \`"$schema": "./policy.schema.json"\`.`,
    'The file in the app’s package is what an empty store starts with, and nothing after that: a deployment with another file changes no access. What is in force is read at `GET /operator/policy` and changed at `PUT /operator/policy` by a publisher; each version is kept under its SHA-256 ([README](../README.md#change-the-policy)).',
    '- [Members](#members)\n- [Examples](#examples)',
    '## Members',
    ...sections('', schema),
    '## Examples',
    'Each fragment is merged into a policy such as [policy.json](policy.json): an entry of a list takes the place of the members of the entry with the same `name`, or is added. A test loads every one.',
    ...EXAMPLES.map(
      ({ wish, notes, fragment }) =>
        `### ${wish}\n\n\`\`\`json\n${JSON.stringify(fragment, undefined, 2)}\n\`\`\`\n\n${notes.map((note) => `- ${note}`).join('\n')}`,
    ),
  ].join('\n\n')}\n`;
}

/** One section for each object, named by its place, such as `grants[].rate`. */
function sections(path: string, schema: Described): string[] {
  if (schema.items) return sections(`${path}[]`, schema.items);
  if (schema.oneOf) return schema.oneOf.flatMap((option) => sections(`${path}, ${kindOf(option)}`, option));
  if (!schema.properties) return [];
  const members = Object.entries(schema.properties);
  return [
    ...(path === '' ? [] : [`### \`${path}\``, ...(schema.description ? [schema.description] : [])]),
    [
      '| member | initial | meaning |',
      '| --- | --- | --- |',
      ...members.map(([name, member]) => row(name, member, schema.required?.includes(name) ?? false)),
    ].join('\n'),
    ...members.flatMap(([name, member]) => sections(path === '' ? name : `${path}.${name}`, member)),
  ];
}

const kindOf = ({ properties }: Described): string => String(properties?.['kind']?.const);

function row(name: string, member: Described, isRequired: boolean): string {
  const initial = isRequired ? 'required' : member.default === undefined ? 'none' : code(member.default);
  const fixed = member.const === undefined ? '' : `Always ${code(member.const)}.`;
  const [example] = member.examples ?? [];
  const shown = example === undefined || member.properties ? '' : `Example: ${code(example)}`;
  const text = [member.description ?? '', fixed, shown].filter(Boolean).join(' ');
  return `| \`${name}\` | ${initial} | ${text.replaceAll('|', '\\|')} |`;
}

const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;
