import type { Caller, Scope } from '../ports.ts';

/**
 * A scope's name: its row key in the table and its key in the snapshot's map. GUIDs are lower-cased, so that an
 * event that writes them in upper case names the same scope. An Entra `uti` and `sub` are case-sensitive and stay
 * as they are. The result has only characters that a table key may have.
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

/** The scopes by which a caller's own token may be revoked, the widest first. */
export function callerScopes(caller: Caller): Scope[] {
  const { tenantId, objectId, clientId, uti, subject, agent } = caller;
  return [
    { kind: 'tenant', tenantId },
    // A blueprint's revocation ends every agent of it, by what the agent's own token says.
    ...(agent === undefined ? [] : [{ kind: 'client' as const, tenantId, clientId: agent.blueprintId }]),
    { kind: 'client', tenantId, clientId },
    { kind: 'user', tenantId, objectId },
    ...(subject === undefined ? [] : [{ kind: 'subject' as const, tenantId, subject }]),
    { kind: 'token', tenantId, uti },
  ];
}

const fold = (text: string): string => plain(text.toLowerCase());

/** Two texts never get the same result: a character that is not plain becomes `~<code>~`, and so does `~` itself. */
function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]/gu, (character) => `~${character.codePointAt(0)?.toString(16)}~`);
}
