import type { Caller, Scope } from '../ports.ts';

/**
 * A scope's name: the row key in the table and the key in the snapshot's map. Identifiers that are GUIDs are
 * lower-cased, so that an event in another casing names the same scope; an Entra `uti` and `sub` are
 * case-sensitive and are kept. Holds only characters that a table key may hold.
 */
export function scopeKey(scope: Scope): string {
  switch (scope.kind) {
    case 'tenant':
      return `tenant:${fold(scope.tenantId)}`;
    case 'user':
      return `user:${fold(scope.tenantId)}:${fold(scope.objectId)}`;
    case 'subject':
      return `subject:${fold(scope.tenantId)}:${plain(scope.subject)}`;
    case 'client':
      return `client:${fold(scope.tenantId)}:${fold(scope.clientId)}`;
    case 'token':
      return `token:${fold(scope.tenantId)}:${plain(scope.uti)}`;
    case 'resource':
      return `resource:${fold(scope.name)}`;
    case 'grant':
      return `grant:${fold(scope.name)}`;
    case 'issued':
      return `issued:${fold(scope.sha256)}`;
  }
}

/** Who the caller is, narrowest last: the scopes under which its own tokens may be revoked. */
export function callerScopes(caller: Caller): Scope[] {
  const { tenantId, objectId, clientId, uti, subject } = caller;
  return [
    { kind: 'tenant', tenantId },
    { kind: 'client', tenantId, clientId },
    { kind: 'user', tenantId, objectId },
    ...(subject === undefined ? [] : [{ kind: 'subject' as const, tenantId, subject }]),
    { kind: 'token', tenantId, uti },
  ];
}

const fold = (text: string): string => plain(text.toLowerCase());

/** One to one: what is not plain becomes its code between two `~`, and `~` itself is not plain. */
function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/gu, (character) => `~${character.codePointAt(0)?.toString(16)}~`);
}
