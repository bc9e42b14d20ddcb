/** What one's own Entra token says of oneself. It is not verified here: the broker does that. */

export interface OwnClaims {
  readonly kind: 'user' | 'application';
  readonly name?: string;
  readonly tenantId: string;
  readonly objectId: string;
  readonly clientId: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  readonly expiresAt: string;
}

/** @returns undefined where it is no token with the claims that every token of Entra has */
export function readOwnToken(token: string): OwnClaims | undefined {
  const claims = claimsOf(token);
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : undefined);
  const list = (name: string) => {
    const value = claims[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  };
  const [tenantId, objectId, clientId] = [text('tid'), text('oid'), text('azp') ?? text('appid')];
  const expiry = claims['exp'];
  if (!tenantId || !objectId || !clientId || typeof expiry !== 'number') return undefined;
  const scopes = (text('scp') ?? '').split(' ').filter((each) => each !== '');
  const name = text('preferred_username') ?? text('upn') ?? text('app_displayname') ?? text('name');
  return {
    kind: scopes.length > 0 ? 'user' : 'application',
    ...(name !== undefined && { name }),
    tenantId,
    objectId,
    clientId,
    roles: list('roles'),
    scopes,
    groups: list('groups'),
    expiresAt: new Date(expiry * 1000).toISOString(),
  };
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) };
  } catch {
    return {};
  }
}
