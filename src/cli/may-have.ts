/** What a caller may have. The broker tells this to auditors only; the local mode's description tells everybody. */
import type { Account } from '../rotation/shown.ts';
import { operatorApi } from './api.ts';
import type { OwnClaims } from './own-token.ts';
import type { Session } from './session.ts';
import type { World } from './world.ts';

export interface May {
  readonly resource: string;
  readonly tokenKinds: readonly string[];
}

/** @returns undefined where nobody tells */
export async function mayHave(
  world: World,
  session: Session,
  { kind, tenantId, objectId, clientId, roles, scopes, groups }: OwnClaims,
): Promise<readonly May[] | undefined> {
  const known = session.local?.mode.callers.find((each) => each.objectId === objectId);
  if (known !== undefined) return known.may;
  if (!roles.includes('Broker.Auditor')) return undefined;
  const api = operatorApi(world, session);
  const accounts = await api.all<Account>('accounts');
  const caller = { kind, tenantId, objectId, clientId, appRoles: roles, scopes, groups };
  const answers: May[] = [];
  for (const { name, tokenKinds } of accounts) {
    const had: string[] = [];
    for (const tokenKind of tokenKinds) {
      const { outcome } = await api.ask<{ outcome: string }>('explain', {
        caller,
        resource: name,
        tokenKind,
      });
      if (outcome === 'granted') had.push(tokenKind);
    }
    if (had.length > 0) answers.push({ resource: name, tokenKinds: had });
  }
  return answers;
}
