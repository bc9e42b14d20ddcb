/** The shapes of the policy's versions and changes in the OpenAPI document. */
import * as z from 'zod';
import { instant, whatIf } from './openapi-audit-shapes.ts';
import { listOf } from './openapi-operator-shapes.ts';
import { problem } from './openapi-problem-shape.ts';
import { applyRequest } from './operator/policy-body.ts';

const version = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('The SHA-256 of the policy, as JSON without blanks between its members.');
const how = z.enum(['packaged', 'applied', 'rolled back']);
const put = { how, by: z.string(), reason: z.string(), at: instant, commit: z.string().optional() };

const policyInForce = z.strictObject({
  version,
  ...z.object(put).partial().shape,
  policy: z.looseObject({}).describe('As its author wrote it (infra/policy.schema.json).'),
  shadowed: z.array(z.string()).describe('Grants and rules that decide nothing yet.'),
});
const policyVersions = listOf(z.strictObject({ version, ...put, inForce: z.boolean() }));
const difference = {
  changes: z.array(z.string()).describe('Who gains and who loses what, of all possible callers.'),
  touched: whatIf.shape.changed.describe('Requests of the last week that would be answered otherwise.'),
};
const confirmations = z.array(z.strictObject({ name: z.string(), why: z.string() }));
const policyApplied = z.strictObject({
  version,
  already: z.boolean().optional().describe('It was in force before.'),
  dryRun: z.boolean().optional().describe('Nothing was changed.'),
  ...difference,
  confirmations: confirmations.optional().describe('Of a dry run: what will have to be confirmed, by name.'),
});
const policyUnconfirmed = z.strictObject({
  ...problem.shape,
  confirmations: confirmations.optional(),
  ...z.object(difference).partial().shape,
  members: z.array(z.string()).optional().describe('What running instances of another version cannot read.'),
});
const policyConflict = z.strictObject({ ...problem.shape, inForce: version.optional() });
const policyInvalid = z.strictObject({
  ...problem.shape,
  problems: z.array(z.string()).describe('Every problem, each with its path.'),
});
const rollbackRequest = z.strictObject({
  version: z.string().describe('12 digits of it at least.'),
  reason: z.string(),
});

export const policyShapes = {
  policyInForce,
  policyVersions,
  applyRequest,
  policyApplied,
  policyUnconfirmed,
  policyConflict,
  policyInvalid,
  rollbackRequest,
};
