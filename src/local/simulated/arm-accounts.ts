/**
 * What ARM does with an AI account, once the caller is known and may do it.
 * https://learn.microsoft.com/rest/api/aiservices/accountmanagement/accounts
 */
import * as z from 'zod';
import type { Account, Accounts } from './accounts.ts';
import { json } from './json.ts';
import type { Principal } from './roles.ts';
import type { Outcome } from './service.ts';

export function listKeys(accounts: Accounts, account: Account, by: Principal): Outcome {
  if (account.settings.disableLocalAuth) {
    return failure(400, 'BadRequest', 'Failed to list key. disableLocalAuth is set to be true');
  }
  accounts.noteListKeys(account.name, { ...by, principalType: 'ServicePrincipal' });
  return { status: 200, body: bothKeys(accounts, account) };
}

const keyName = z.object({ keyName: z.string() });

export function regenerateKey(accounts: Accounts, account: Account, by: Principal, body: string): Outcome {
  const asked = keyName.safeParse(json(body)).data?.keyName;
  if (asked !== 'Key1' && asked !== 'Key2') {
    const message = `The key name '${asked ?? ''}' is invalid. Valid values are 'Key1' and 'Key2'.`;
    return failure(400, 'BadRequest', message);
  }
  // Not documented for this action; assumed to be refused as listKeys is.
  if (account.settings.disableLocalAuth) {
    return failure(400, 'BadRequest', 'Failed to regenerate key. disableLocalAuth is set to be true');
  }
  accounts.regenerate(account.name, asked, { ...by, principalType: 'ServicePrincipal' });
  const regenerated = accounts.find(account.name) ?? account;
  return {
    status: 200,
    body: bothKeys(accounts, regenerated),
    keyFingerprint: accounts.currentKey(regenerated, asked).fingerprint,
  };
}

function bothKeys(accounts: Accounts, account: Account): { key1: string; key2: string } {
  return {
    key1: accounts.currentKey(account, 'Key1').value,
    key2: accounts.currentKey(account, 'Key2').value,
  };
}

/** The members of the real answer that a client of the account would read. */
export function getAccount(account: Account, endpoint: string): Outcome {
  return {
    status: 200,
    body: {
      id: account.accountId,
      name: account.accountId.split('/').at(-1),
      type: 'Microsoft.CognitiveServices/accounts',
      kind: account.kind,
      location: account.region,
      sku: { name: 'S0' },
      properties: {
        endpoint: `${endpoint}/`,
        customSubDomainName: account.name,
        disableLocalAuth: account.settings.disableLocalAuth,
        provisioningState: 'Succeeded',
        publicNetworkAccess: 'Enabled',
      },
    },
  };
}

export function failure(status: number, code: string, message: string): Outcome {
  return { status, body: { error: { code, message } } };
}
