/** What a revocation is about, from the fields of the form and back into words. Pure. */
import type { Revocation, RevocationRequest } from '../../wire.ts';

export type Scope = RevocationRequest['scope'];
/** What can be chosen, and what its value is called. */
export const KINDS = {
  client: 'Client id',
  user: 'Object id, or a user name of the home tenant',
  token: 'Its uti, or the token itself',
  tenant: '',
  resource: 'Account',
  grant: 'Grant',
} as const;
export type Kind = keyof typeof KINDS;
export const kindOf = (text = ''): Kind => (Object.hasOwn(KINDS, text) ? (text as Kind) : 'client');

export interface Fields {
  readonly kind: Kind;
  readonly tenantId: string;
  readonly value: string;
}
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isGuid = (text: string): boolean => GUID.test(text);

/** @returns what is wrong, in words, or the scope */
export function readScope({ kind, tenantId, value: given }: Fields): Scope | string {
  const value = given.trim();
  if (kind !== 'tenant' && value === '') return `${KINDS[kind]} is missing.`;
  if (kind === 'resource' || kind === 'grant') return { kind, name: value };
  if (tenantId === '') return 'Choose the tenant.';
  switch (kind) {
    case 'tenant':
      return { kind, tenantId };
    case 'user':
      return isGuid(value) || value.includes('@')
        ? { kind, tenantId, objectId: value }
        : 'An object id is a GUID; a user name has an @.';
    case 'client':
      return isGuid(value)
        ? { kind, tenantId, clientId: value }
        : 'A client id is a GUID. `az ad app list --display-name NAME --query "[].appId"` tells it.';
    case 'token':
      return value.startsWith('eyJ') ? utiOf(value) : { kind, tenantId, uti: value };
  }
}

/** A token that is pasted is read here, and only its id goes on. */
function utiOf(token: string): Scope | string {
  try {
    const text = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { uti, tid } = JSON.parse(atob(text));
    if (typeof uti === 'string' && typeof tid === 'string') return { kind: 'token', tenantId: tid, uti };
  } catch {
    // Told below.
  }
  return 'This is no token of Entra: it has no uti.';
}

export const WORDS: Readonly<Record<string, string>> = {
  client: 'app',
  user: 'person or workload',
  token: 'Entra token',
  tenant: 'tenant',
  resource: 'account',
  grant: 'grant',
  subject: 'person with the sub',
  issued: 'token that was handed out',
};

/** `the app d2a8…`: the last member of a scope is what names it. */
export function scopeWords({ kind, ...members }: Scope | Revocation['scope']): string {
  const values = Object.entries(members).filter(([name]) => name !== 'tenantId' || kind === 'tenant');
  return ['the', WORDS[kind] ?? kind, ...values.map(([, value]) => String(value))].join(' ');
}

export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
