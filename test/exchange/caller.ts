import type { Caller } from '../../src/ports.ts';
import { Secret } from '../../src/secret.ts';
import { CAPTIONS, HOME } from '../policy/sample.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 12);

/** A verified caller of the home tenant; bend what matters. */
export function aCaller(bend: Partial<Caller> = {}): Caller {
  return {
    kind: 'application',
    tenantId: HOME,
    objectId: '00000000-0000-4000-8000-0000000000b1',
    clientId: CAPTIONS,
    uti: 'uti-1',
    subject: 'sub-1',
    issuedAtSeconds: NOW_MS / 1000 - 60,
    expiresAtSeconds: NOW_MS / 1000 + 3600,
    scopes: [],
    appRoles: [],
    groups: [],
    token: new Secret('a caller token'),
    ...bend,
  };
}
