/** A caller for `explain`, by what a person has at hand: a name of the local mode, an id, or its description as JSON. */
import type { Api } from './api.ts';
import { CommandFailure } from './failure.ts';
import { localToken } from './local-mode.ts';
import type { AuditItem } from './outstanding.ts';
import { readOwnToken } from './own-token.ts';
import type { Session } from './session.ts';

const DAY_MS = 86_400_000;

/** @returns the `caller` member of a request to explain */
export async function describedCaller(api: Api, session: Session, given: string): Promise<object> {
  if (given.startsWith('{')) return parse(given);
  const local = session.local?.mode.callers.find(({ name }) => name === given);
  if (session.local !== undefined && local !== undefined) {
    const claims = readOwnToken(await localToken(session.local.mode, local.name));
    if (claims !== undefined) {
      const { kind, tenantId, clientId, objectId, roles, scopes, groups } = claims;
      return { kind, tenantId, clientId, objectId, appRoles: roles, scopes, groups };
    }
  }
  // What the broker last saw of whoever has the id.
  const now = session.nowMs();
  const span = { from: new Date(now - 7 * DAY_MS).toISOString(), to: new Date(now + 60_000).toISOString() };
  const seen = await api.all<AuditItem>('audit', { ...span, caller: given }, 2_000);
  const { tenantId, clientId, objectId, claims } = seen.findLast((item) => item.claims !== undefined) ?? {};
  if (claims === undefined || !tenantId || !clientId || !objectId)
    throw new CommandFailure(
      'failed',
      `In the last seven days the broker has seen nobody with the id ${given}.`,
      `Describe the caller: --caller '{"tenantId":"…","clientId":"…","objectId":"…","kind":"application","appRoles":["Token.Exchange"]}'`,
    );
  const { kind, appRoles = [], scopes = [], groups = [] } = claims;
  return { kind, tenantId, clientId, objectId, appRoles, scopes, groups };
}

function parse(text: string): object {
  try {
    return { ...JSON.parse(text) };
  } catch {
    throw new CommandFailure('usage', '--caller is no JSON.');
  }
}
