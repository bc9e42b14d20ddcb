/**
 * Who may call the simulated storage account, as Azure decides it with shared keys switched off: an Entra token, and a
 * role that holds the data action at the table, queue or container.
 */
import type { Verified, VerifyAccessToken } from './entra-verify.ts';
import { allows, type RoleAssignment } from './roles.ts';
import type { StorageOperation, StorageService } from './storage-operation.ts';

const AUDIENCES = ['https://storage.azure.com', 'https://storage.azure.com/'];
const MAX_VERIFIED = 100;
const BELOW: Readonly<Record<StorageService, string>> = {
  tables: 'tableServices/default/tables',
  queues: 'queueServices/default/queues',
  blobs: 'blobServices/default/containers',
};

/** `by`: the client id of the caller, whose role does not hold it. */
export type StorageRefusal = { readonly status: number; readonly code: string; readonly by?: string };
export type StorageAccess = { readonly by: string } | StorageRefusal;
/** @param authorization the header's value; undefined: there is none */
export type StorageGate = (authorization: string | undefined, operation: StorageOperation) => StorageAccess;

export interface GateOptions {
  readonly verify: VerifyAccessToken;
  readonly assignments: () => readonly RoleAssignment[];
  /** The ARM id of the storage account. */
  readonly accountId: string;
  readonly now: () => number;
}

export function createStorageGate(service: StorageService, options: GateOptions): StorageGate {
  // A signature costs more than the call that it opens, and an app sends the same token for hours.
  const verified = new Map<string, Verified>();
  function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
    let known = verified.get(token);
    if (known === undefined) {
      if (verified.size >= MAX_VERIFIED) verified.clear();
      known = options.verify(token, AUDIENCES);
      verified.set(token, known);
    }
    if ('fault' in known || Number(known.claims['exp']) * 1000 <= options.now()) return undefined;
    return known.claims;
  }

  return (authorization, { resource, dataActions }) => {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    if (authorization === undefined) return { status: 401, code: 'NoAuthenticationInformation' };
    if (token === undefined) return { status: 403, code: 'KeyBasedAuthenticationNotPermitted' };
    const claims = claimsOf(token);
    if (claims === undefined) return { status: 401, code: 'InvalidAuthenticationInfo' };
    const scope = `${options.accountId}/${BELOW[service]}/${resource ?? ''}`;
    const may = (action: string) =>
      allows(options.assignments(), String(claims['oid']), 'dataActions', action, scope);
    const by = String(claims['appid'] ?? claims['azp']);
    return dataActions.some((all) => all.every(may))
      ? { by }
      : { status: 403, code: 'AuthorizationPermissionMismatch', by };
  };
}
