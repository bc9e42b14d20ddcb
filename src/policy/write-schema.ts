/** `npm run schema`: writes infra/policy.schema.json from the policy's zod schema. */
import { writeFileSync } from 'node:fs';
import * as z from 'zod';
import { readCommandLine } from '../command-line.ts';
import { policySchema } from './schema.ts';

export function policyJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(policySchema, { io: 'input' }), undefined, 2)}\n`;
}

if (import.meta.main) {
  readCommandLine('npm run schema\n\nWrites infra/policy.schema.json from src/policy/schema.ts.', {});
  writeFileSync(new URL('../../infra/policy.schema.json', import.meta.url), policyJsonSchema());
}
