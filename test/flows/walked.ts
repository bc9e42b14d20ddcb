/**
 * What each app asks the services, in the whole flow suite: walked.json, one line a call. Every flow test ends by
 * comparing its own calls with it, and `node test/flows/walk.ts` writes it anew. test/infra/least-privilege.test.ts
 * compares it with the roles: none missing, none unused.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Description } from '../../src/local/launch.ts';
import { issuerIdentity, rotatorIdentity } from '../../src/local/simulated/demo-directory.ts';

export const WALKED_FILE = join(import.meta.dirname, 'walked.json');
/** Set by walk.ts: the file to which each stack adds its calls. */
export const COLLECT = 'BROKER_WALK';

interface Request {
  readonly service: string;
  readonly operation: string;
  readonly status: number;
  readonly by?: string;
}
const IDENTITIES = new Map([
  [issuerIdentity.clientId, 'issuer'],
  [rotatorIdentity.clientId, 'rotator'],
] as const);
/** Services that decide by Azure's roles; Entra, Graph and the identity endpoint have permissions of their own. */
const WITH_ROLES = ['tables', 'queues', 'blobs', 'keyvault', 'arm'];

/** `issuer tables GetEntity state`, sorted. */
export const walked = (): readonly string[] => JSON.parse(readFileSync(WALKED_FILE, 'utf8')) as string[];

/** @throws AssertionError where an app was refused for want of a role, or made a call that is not in walked.json */
export async function endWalk({ control }: Description): Promise<void> {
  // A test that has killed the local mode can ask it nothing any more.
  const answer = await fetch(`${control}/requests`).catch(() => undefined);
  if (answer === undefined) return;
  const { requests } = (await answer.json()) as { readonly requests: readonly Request[] };
  const refused = new Set<string>();
  const calls = new Set<string>();
  for (const { service, operation, status, by = '' } of requests) {
    const identity = IDENTITIES.get(by);
    if (identity === undefined || !WITH_ROLES.includes(service)) continue;
    const line = `${identity} ${service} ${operation}`;
    const isStorage = service === 'tables' || service === 'queues' || service === 'blobs';
    if (isStorage && status === 403) refused.add(line);
    else if (status < 400) calls.add(line);
  }
  const file = process.env[COLLECT];
  if (file !== undefined) appendFileSync(file, [...calls, ''].join('\n'));
  assert.deepEqual([...refused], [], 'no role of the app holds what it asked the storage account');
  if (file !== undefined) return;
  const known = new Set(walked());
  const unknown = [...calls].filter((call) => !known.has(call));
  assert.deepEqual(unknown, [], 'a call that no flow test made before: run `node test/flows/walk.ts`');
}
