import type { Account, Accounts } from './accounts.ts';
import type { VersionInput } from './keyvault-store.ts';

const lifeSeconds = 90 * 86_400;

/** An account's secret as the rotation would have left it: the key of slot 1, with the rotation's own tags. */
export function accountSecret(accounts: Accounts, account: Account, nowMs: number): VersionInput {
  const { value, fingerprint } = accounts.currentKey(account, 'Key1');
  return {
    value,
    contentType: 'application/vnd.azure-ai-account-key',
    exp: Math.floor(nowMs / 1000) + lifeSeconds,
    tags: { account: account.accountId, slot: 'Key1', fingerprint, generation: '1', fence: '0' },
  };
}
