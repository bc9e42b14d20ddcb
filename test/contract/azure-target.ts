/**
 * A real subscription: a resource group of its own with a Speech account, a vault and a storage account, which is
 * removed afterwards whatever happens. Whoever is signed in (`az login`) needs Owner, or Contributor with User Access
 * Administrator, on the subscription.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, claimsOf, fetched, type Send, shown, type Target } from './target.ts';

export const COST = `It makes a resource group with a Speech account (S0), a Key Vault and a storage account, and removes
it afterwards. Nothing in it costs by the hour; some 1,000 calls are billed at less than 0.10 US dollars in all.`;

const ARM = 'https://management.azure.com';
const READY_MS = 15 * 60_000;
const LOOK_MS = 10_000;
const ROLES = {
  // https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
  vault: ['Microsoft.KeyVault/vaults', '00482a5a-887f-4fb3-b363-3b7fe8e74483'],
  storage: ['Microsoft.Storage/storageAccounts', '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'],
} as const;

export interface Surroundings {
  readonly subscription: string;
  readonly location: string;
  readonly send: Send;
  readonly token: (scope: string) => Promise<string>;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly say: (text: string) => void;
}

/** Whoever is signed in, as every tool of Azure finds it. */
export async function signedIn(subscription: string, location: string): Promise<Surroundings> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  const credential = new DefaultAzureCredential();
  return {
    subscription,
    location,
    send: fetched,
    token: async (scope) => (await credential.getToken(scope)).token,
    sleep: wait,
    say: (text) => console.error(text),
  };
}

export async function azureTarget(surroundings: Surroundings): Promise<Target & AsyncDisposable> {
  const { subscription, location, send, token, sleep, say } = surroundings;
  const own = claimsOf(await token(`${ARM}/.default`));
  const name = `brokercontract${randomBytes(4).toString('hex')}`;
  const group = `/subscriptions/${subscription}/resourceGroups/${name}`;
  const idOf = (type: string): string => `${group}/providers/${type}/${name}`;
  const accountId = idOf('Microsoft.CognitiveServices/accounts');

  async function arm(method: string, path: string, version: string, body?: object): Promise<Answer> {
    const answer = await send({
      service: 'arm',
      method,
      url: `${ARM}${path}?api-version=${version}`,
      headers: {
        authorization: `Bearer ${await token(`${ARM}/.default`)}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 400 && answer.status !== 404)
      throw new Error(`${method} ${path.slice(group.length)}: ${shown(answer)}`);
    return answer;
  }
  async function made(path: string, version: string, body: object): Promise<void> {
    say(`makes ${path.split('/').slice(-2).join('/')}`);
    await arm('PUT', path, version, body);
    for (let leftMs = READY_MS; leftMs > 0; leftMs -= LOOK_MS) {
      const { properties } = (await arm('GET', path, version)).body as {
        properties?: { provisioningState?: string };
      };
      if (properties?.provisioningState === undefined || properties.provisioningState === 'Succeeded') return;
      await sleep(LOOK_MS);
    }
    throw new Error(`${path.slice(group.length)} is not ready`);
  }
  const vaultUrl = `https://${name}.vault.azure.net`;
  const tablesUrl = `https://${name}.table.core.windows.net`;
  const remove = async (): Promise<void> => {
    say(`removes ${name}`);
    await arm('DELETE', group, '2021-04-01');
    for (let leftMs = READY_MS; leftMs > 0; leftMs -= LOOK_MS) {
      if ((await arm('GET', group, '2021-04-01')).status === 404) break;
      await sleep(LOOK_MS);
    }
    // What is deleted keeps its name until it is purged.
    const place = `/subscriptions/${subscription}/providers`;
    await arm(
      'POST',
      `${place}/Microsoft.KeyVault/locations/${location}/deletedVaults/${name}/purge`,
      '2023-07-01',
    );
    await arm(
      'DELETE',
      `${place}/Microsoft.CognitiveServices/locations/${location}/resourceGroups/${name}/deletedAccounts/${name}`,
      '2025-06-01',
    );
  };
  try {
    await made(group, '2021-04-01', {
      location,
      tags: { purpose: 'azure-ai-token-broker contract, throw away' },
    });
    await made(accountId, '2025-06-01', {
      location,
      kind: 'SpeechServices',
      sku: { name: 'S0' },
      properties: { customSubDomainName: name },
    });
    await made(idOf('Microsoft.KeyVault/vaults'), '2023-07-01', {
      location,
      properties: {
        tenantId: own['tid'],
        sku: { family: 'A', name: 'standard' },
        enableRbacAuthorization: true,
        accessPolicies: [],
      },
    });
    await made(idOf('Microsoft.Storage/storageAccounts'), '2023-05-01', {
      location,
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
      properties: { allowSharedKeyAccess: false, minimumTlsVersion: 'TLS1_2' },
    });
    await made(
      `${idOf('Microsoft.Storage/storageAccounts')}/tableServices/default/tables/contract`,
      '2023-05-01',
      {},
    );
    for (const [type, role] of Object.values(ROLES))
      await arm(
        'PUT',
        `${idOf(type)}/providers/Microsoft.Authorization/roleAssignments/${role.slice(0, 24)}${randomBytes(6).toString('hex')}`,
        '2022-04-01',
        {
          properties: {
            roleDefinitionId: `/subscriptions/${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
            principalId: own['oid'],
          },
        },
      );
    await untilAllowed();
  } catch (error) {
    await remove();
    throw error;
  }

  /** A role takes Azure minutes. */
  async function untilAllowed(): Promise<void> {
    for (let leftMs = READY_MS; leftMs > 0; leftMs -= LOOK_MS) {
      const vault = await send({
        service: 'vault',
        method: 'PUT',
        url: `${vaultUrl}/secrets/contract?api-version=7.4`,
        headers: {
          authorization: `Bearer ${await token('https://vault.azure.net/.default')}`,
          'content-type': 'application/json',
        },
        body: '{"value":"begin"}',
      });
      const table = await send({
        service: 'tables',
        method: 'GET',
        url: `${tablesUrl}/contract()?$top=1`,
        headers: {
          authorization: `Bearer ${await token('https://storage.azure.com/.default')}`,
          'x-ms-version': '2024-11-04',
        },
      });
      if (vault.status === 200 && table.status === 200) return;
      say('waits for its roles');
      await sleep(LOOK_MS);
    }
    throw new Error('its roles are not in force');
  }
  async function vaultByHand(method: string, path: string): Promise<Answer> {
    return send({
      service: 'vault',
      method,
      url: `${vaultUrl}/${path}?api-version=7.4`,
      headers: { authorization: `Bearer ${await token('https://vault.azure.net/.default')}` },
    });
  }

  return {
    name: `subscription ${subscription}`,
    isReal: true,
    send,
    account: {
      id: accountId,
      endpoint: `https://${name}.cognitiveservices.azure.com`,
      kind: 'SpeechServices',
    },
    armUrl: ARM,
    vaultUrl,
    secret: 'contract',
    table: { url: tablesUrl, name: 'contract' },
    entra: { authority: 'https://login.microsoftonline.com', tenantId: String(own['tid']) },
    token,
    callerToken: () => token(`${ARM}/.default`),
    byHand: {
      switchKeys: async (off) => {
        await arm('PATCH', accountId, '2025-06-01', { properties: { disableLocalAuth: off } });
        await sleep(LOOK_MS);
      },
      deleteSecret: async (deleted) => {
        await vaultByHand(
          ...((deleted ? ['DELETE', 'secrets/contract'] : ['POST', 'deletedsecrets/contract/recover']) as [
            string,
            string,
          ]),
        );
        // Both go on behind the answer.
        await sleep(3 * LOOK_MS);
      },
    },
    nowMs: async () => Date.now(),
    pass: async (seconds) => void (await sleep(seconds * 1000)),
    [Symbol.asyncDispose]: remove,
  };
}
