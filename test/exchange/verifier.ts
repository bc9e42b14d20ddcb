/** The verification of callers under test, with the keys and settings of entra-token.ts. */
import assert from 'node:assert/strict';
import type { CallerFault } from '../../src/denial.ts';
import { createVerifyCaller, type VerifyOptions } from '../../src/exchange/verify.ts';
import type { Caller } from '../../src/ports.ts';
import { HOME } from '../policy/sample.ts';
import { NOW_MS } from './caller.ts';
import { BROKER, publishedKeys } from './entra-token.ts';

export const verifier = (bend: Partial<VerifyOptions> = {}) =>
  createVerifyCaller({
    keys: publishedKeys(),
    clock: () => NOW_MS,
    clientId: BROKER,
    audienceUris: ['api://broker'],
    homeTenantId: HOME,
    acceptV1: true,
    isAllowedTenant: async (tenantId) => tenantId === HOME,
    ...bend,
  });

export async function faultOf(
  text: string,
  bend: Partial<VerifyOptions> = {},
): Promise<CallerFault | 'accepted'> {
  const verdict = await verifier(bend)(text);
  if ('objectId' in verdict) return 'accepted';
  assert.equal(verdict.kind, 'caller_unverified');
  return verdict.kind === 'caller_unverified' ? verdict.fault : 'accepted';
}

export async function accepted(text: string, bend: Partial<VerifyOptions> = {}): Promise<Caller> {
  const verdict = await verifier(bend)(text);
  assert.ok('objectId' in verdict, JSON.stringify(verdict));
  return verdict;
}
