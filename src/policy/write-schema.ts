/** `npm run schema`: writes infra/policy.schema.json and infra/POLICY.md from the policy's zod schema. */
import { writeFileSync } from 'node:fs';
import * as z from 'zod';
import { readCommandLine } from '../command-line.ts';
import { policyPage } from './reference.ts';
import { policySchema } from './schema.ts';

export function policyJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(policySchema, { io: 'input' }), undefined, 2)}\n`;
}

if (import.meta.main) {
  readCommandLine(
    'npm run schema\n\nWrites infra/policy.schema.json and infra/POLICY.md from src/policy/schema.ts\nand src/policy/examples.ts.',
    {},
  );
  const infra = new URL('../../infra/', import.meta.url);
  writeFileSync(new URL('policy.schema.json', infra), policyJsonSchema());
  writeFileSync(new URL('POLICY.md', infra), policyPage());
}
