/** Who exchanges in these tests, and what became of it. */
import assert from 'node:assert/strict';
import type { Denial } from '../../src/denial.ts';
import type { Granted } from '../../src/exchange/hand-out.ts';
import { RESEARCHERS } from '../policy/sample.ts';
import { aCaller } from './caller.ts';

export const captions = aCaller({ appRoles: ['Token.Exchange'] });
export const ada = aCaller({
  kind: 'user',
  objectId: '00000000-0000-4000-8000-0000000000d1',
  clientId: '00000000-0000-4000-8000-0000000000d2',
  uti: 'uti-ada',
  scopes: ['Token.Exchange'],
  groups: [RESEARCHERS],
});
export const bob = { ...ada, objectId: '00000000-0000-4000-8000-0000000000d3', uti: 'uti-bob' };

export function granted(answer: Granted | Denial): Granted {
  assert.ok('token' in answer, JSON.stringify(answer));
  return answer;
}
export function denied(answer: Granted | Denial): Denial {
  assert.ok(!('token' in answer));
  return answer;
}
