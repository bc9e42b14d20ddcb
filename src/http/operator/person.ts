/**
 * A person who is named by user principal name in a scope that wants the object id. A name can be another person's by
 * tomorrow, and one mistyped is somebody else's today, so nothing is done by a name: the answer says whom Microsoft
 * Graph has under it, and the operator sends that object id to confirm.
 */
import type { HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { guid } from '../../guid.ts';
import type { Directory } from '../../revocation/ports.ts';
import { UpstreamFailure } from '../../upstream.ts';
import { problem } from '../problem.ts';
import { badRequest } from './body.ts';

export interface PersonPorts {
  readonly homeTenantId: string;
  /** Microsoft Graph, which the app may read only with `issuerReadsDirectory`. */
  readonly directory: Pick<Directory, 'user'>;
}

/** https://learn.microsoft.com/entra/identity/hybrid/connect/plan-connect-userprincipalname: 113 characters at most. */
const principalName = z
  .string()
  .max(113)
  .regex(/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/u);
const namesPerson = z.object({
  scope: z.object({ kind: z.literal('user'), tenantId: guid, objectId: principalName }),
});

/**
 * @returns undefined where the body names nobody so, or is wrong in another way
 * @throws UpstreamFailure when Graph does not answer
 */
export async function askWhoIsMeant(
  { homeTenantId, directory }: PersonPorts,
  body: Readonly<Record<string, unknown>>,
): Promise<HttpResponseInit | undefined> {
  const read = namesPerson.safeParse(body);
  if (!read.success) return undefined;
  const { tenantId, objectId: name } = read.data.scope;
  if (tenantId !== homeTenantId)
    return badRequest('scope.objectId: names are looked up in the home tenant only, so send the object id');
  const found = await look(directory, name);
  if (found === 'forbidden')
    return badRequest(
      'scope.objectId: must be a GUID; this app may not read the directory, so look the person up with `az ad user show --id NAME --query id`',
    );
  if (found === 'absent')
    return badRequest('scope.objectId: must be a GUID, and nobody in the home tenant has this name');
  const { objectId, enabled } = found;
  const answer = problem(
    409,
    'Conflict',
    `this name is of the person with the object id ${objectId}, whose account is ${enabled ? 'enabled' : 'disabled'}; nothing was done: send that object id to confirm`,
  );
  return { ...answer, jsonBody: { ...answer.jsonBody, found: { objectId, enabled } } };
}

async function look(directory: PersonPorts['directory'], name: string) {
  try {
    return await directory.user(name);
  } catch (error) {
    if (error instanceof UpstreamFailure && error.service === 'graph' && error.status === 403)
      return 'forbidden';
    throw error;
  }
}
