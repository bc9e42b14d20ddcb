/** `pause ACCOUNT`: begins no rotation until somebody resumes it. An emergency still does. */
import type { Call } from '../command.ts';
import { sayAccount } from '../say-account.ts';

export const run = (call: Call): Promise<undefined> => sayAccount(call, 'pause');
