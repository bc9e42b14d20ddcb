/** `resume ACCOUNT`: ends a pause, also one of the policy. */
import type { Call } from '../command.ts';
import { sayAccount } from '../say-account.ts';

export const run = (call: Call): Promise<undefined> => sayAccount(call, 'resume');
