import type { May } from '../may-have.ts';
import type { Admission } from '../own-admission.ts';
import type { OwnClaims } from '../own-token.ts';
import { facts } from './table.ts';

export type Seen = OwnClaims & Admission & { readonly broker: string; readonly may?: readonly May[] };

export function whoamiText(seen: Seen): string {
  const { broker, name, kind, tenantId, objectId, clientId, roles, scopes, may } = seen;
  const list = (values: readonly string[]) => (values.length === 0 ? 'none' : values.join(', '));
  return facts([
    ['broker', broker],
    ['you', name ?? (kind === 'user' ? 'a person' : 'an application')],
    ['kind', kind],
    ['tenant', tenantId],
    ['object id', objectId],
    ['client id', clientId],
    ['app roles', list(roles)],
    ['scopes', kind === 'user' ? list(scopes) : undefined],
    ['accepted', seen.accepted ? 'yes' : `no: ${seen.why}`],
    ['may have', mayText(may)],
  ]);
}

function mayText(may: readonly May[] | undefined): string {
  if (may === undefined) return 'the broker tells this to auditors only; token RESOURCE tries one';
  if (may.length === 0) return 'nothing';
  return may.map(({ resource, tokenKinds }) => `${resource} (${tokenKinds.join(', ')})`).join(', ');
}
