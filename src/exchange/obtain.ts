/** The four ways to get a token (README, table of token kinds). Each token is recorded before it can be returned. */
import type { EntraTokens, IssuedToken, IssuedTokens, OnBehalfOfRefusal } from '../ports.ts';
import { ACTS_AS } from '../token-kind.ts';
import { type MintPorts, mint } from './mint.ts';
import type { Buy, Held, Wanted } from './tokens.ts';

export interface ObtainPorts extends MintPorts {
  readonly entra: EntraTokens;
  readonly issued: IssuedTokens;
}

export function createObtain(ports: ObtainPorts): Buy {
  return async (wanted) => {
    const issuedAtMs = ports.clock();
    const answer = await obtain(ports, wanted);
    if (!('token' in answer)) return answer;
    const held: Held = { slot: undefined, epoch: 0, generation: 0, ...answer, issuedAtMs };
    await ports.issued.record({
      sha256: held.token.sha256,
      resource: wanted.resource.name,
      tokenKind: wanted.kind,
      epoch: held.slot === undefined ? undefined : held.epoch,
      user:
        ACTS_AS[wanted.kind] === 'caller'
          ? { tenantId: wanted.caller.tenantId, objectId: wanted.caller.objectId }
          : undefined,
      issuedAtMs,
      expiresAtMs: held.expiresAtMs,
    });
    return held;
  };
}

async function obtain(
  ports: ObtainPorts,
  { resource, kind, endpoint, caller }: Wanted,
): Promise<IssuedToken | OnBehalfOfRefusal> {
  switch (kind) {
    case 'sts':
      return mint(ports, resource, endpoint);
    case 'obo':
      return ports.entra.onBehalfOf(resource.scope, caller.token);
    case 'entra':
      return resource.identity.kind === 'application'
        ? ports.entra.byApplication(resource.scope)
        : ports.entra.byManagedIdentity(
            resource.scope,
            resource.identity.kind === 'userAssigned' ? resource.identity.clientId : undefined,
          );
  }
}
