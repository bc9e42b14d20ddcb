/** What is to be explained, from the address of the view: a correlation id, or a described caller. Pure. */
import type { Params } from '../../route.ts';

export type Asked =
  | { readonly correlationId: string; readonly at?: string }
  | {
      readonly caller: {
        readonly tenantId: string;
        readonly clientId: string;
        readonly objectId: string;
        readonly kind: 'user' | 'application';
        readonly appRoles: readonly string[];
        readonly scopes: readonly string[];
        readonly groups: readonly string[];
      };
      readonly resource: string;
      readonly tokenKind?: string;
    };

/** With or without hyphens, as a caller's error or a log line may have it. */
export const correlationOf = (text: string): string => text.replaceAll(/[\s-]/g, '').toLowerCase();

export const words = (text = ''): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** @returns undefined where nothing is asked, and what is wrong as a text */
export function askedOf(params: Params): Asked | string | undefined {
  const { correlation = '', at = '', tenant = '', client = '', object = '', resource = '', kind } = params;
  const correlationId = correlationOf(correlation);
  if (correlationId !== '') {
    if (!/^[0-9a-f]{32}$/.test(correlationId))
      return 'A correlation id has 32 hexadecimal digits. It is in the error that the app got, and in its record.';
    const atMs = Date.parse(at);
    return { correlationId, ...(!Number.isNaN(atMs) && { at: new Date(atMs).toISOString() }) };
  }
  if ([tenant, client, object, resource].every((text) => text === '')) return undefined;
  if ([tenant, client, object, resource].some((text) => text === ''))
    return 'Of a caller its tenant, client id, object id and the account are needed.';
  const { tokenKind = '' } = params;
  return {
    caller: {
      tenantId: tenant,
      clientId: client,
      objectId: object,
      kind: kind === 'user' ? 'user' : 'application',
      appRoles: words(params['roles']),
      scopes: words(params['scopes']),
      groups: words(params['groups']),
    },
    resource,
    ...(tokenKind !== '' && { tokenKind }),
  };
}
