/** environments.json, in the shape that types.bicep gives it. */
import * as z from 'zod';
import { guid } from '../src/guid.ts';
import { faultText, jsonFault } from '../src/policy/json-fault.ts';
import { inWords } from '../src/policy/words.ts';

const armId = z.string().regex(/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\//i, 'an ARM id');
/** As a browser sends it: with a path or a last slash it would never match. */
const origin = z
  .url({ protocol: /^https?$/ })
  .refine(isOrigin, 'must be an origin: scheme, host and port only');
const role = z.enum(['speech', 'openai', 'data']);

const grant = z.discriminatedUnion('to', [
  z.strictObject({ to: z.literal('application'), role }),
  z.strictObject({ to: z.literal('systemAssigned'), role }),
  z.strictObject({ to: z.literal('userAssigned'), role, principalId: guid }),
  z.strictObject({ to: z.literal('group'), role, principalId: guid }),
]);

const environment = z
  .strictObject({
    policy: z.string().regex(/^[\w-][\w.-]*$/, 'must be the name of a file in the same folder'),
    zoneRedundant: z.boolean(),
    privateNetwork: z.boolean(),
    alwaysReadyInstances: z.int().min(0),
    maximumInstances: z.int().min(40).max(1000),
    instanceMemoryMB: z.literal([2048, 4096]),
    freshnessSeconds: z.int().min(0).max(30),
    otlpEndpoint: z.literal('').or(z.url()),
    logRetentionDays: z.int().min(30).max(730),
    logCapGB: z.int().min(1),
    auditDays: z.int().min(2).max(36_500),
    auditHoldFrom: z.literal('').or(z.iso.datetime()),
    proofDays: z.int().min(2).max(146_000),
    proofLocked: z.boolean(),
    activityEvents: z.boolean(),
    issuerReadsDirectory: z.boolean(),
    publicUrl: z.literal('').or(origin.refine((text) => text.startsWith('https:'), 'must be https')),
    frontDoorId: z.literal('').or(guid),
    corsOrigins: z.array(origin),
    alertEmails: z.array(z.email()),
    eventPublishers: z.array(guid),
    identities: z.array(z.strictObject({ id: armId, clientId: guid, principalId: guid })),
    accounts: z.array(z.strictObject({ id: armId, rotated: z.boolean(), grants: z.array(grant) })),
  })
  .refine(({ auditDays, proofDays }) => proofDays >= auditDays, {
    path: ['proofDays'],
    message: 'must be at least auditDays: what a row is checked against must live as long as the row',
  });

/** It becomes part of the names of a vault and a storage account. */
const environmentName = z
  .string()
  .max(12)
  .regex(
    /^[a-z](-?[a-z0-9])+$/,
    'must be 2 to 12 lower-case letters, digits and single hyphens, a letter first',
  );

const environments = z.record(environmentName, environment);

/** The members of an entry. */
export const environmentShape = environment.shape;

export type Environment = z.infer<typeof environment>;
export type Account = Environment['accounts'][number];
export type Role = z.infer<typeof role>;

/** The file is not what the deployment takes. The message lists every problem with its path, one a line. */
export class EnvironmentsError extends Error {
  override readonly name = 'EnvironmentsError';
}

/** @throws EnvironmentsError */
export function parseEnvironments(text: string): ReadonlyMap<string, Environment> {
  const parsed = environments.safeParse(parseJson(text), { error: inWords });
  if (parsed.success) return new Map(Object.entries(parsed.data));
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new EnvironmentsError(problems.join('\n'));
}

function parseJson(text: string): unknown {
  const fault = jsonFault(text);
  if (fault) throw new EnvironmentsError(`not JSON: ${faultText(text, fault)}`);
  return JSON.parse(text);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
