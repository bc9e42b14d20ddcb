/**
 * What somebody tries who runs code inside the issuer app: with a token for each identity that the app carries, and
 * for the app registration whose client assertion the app makes, over the app's own network. `inside-issuer.test.ts`
 * holds that everything here is refused.
 *
 * Not simulated, and so not tried: the storage account of the rotator's host with its package. infra/roles.bicep gives
 * the issuer no role there, which test/infra/ holds. The plain table endpoint with the published development key is a
 * tool of the local mode; in Azure shared keys are switched off.
 */

import { brokerClientId, rotatorIdentity, tenantId } from '../../src/local/simulated/demo-directory.ts';
import type { LocalDescription } from '../local/local-mode.ts';

type Service = 'arm' | 'keyvault' | 'tables' | 'queues';
export interface Attempt {
  readonly what: string;
  readonly service: Service;
  /** As the request log names it. */
  readonly operation: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The rotator may do it: its token shows that the request itself is good. */
  readonly rotatorMay: boolean;
}

const AUDIENCES: Readonly<Record<Service, string>> = {
  arm: 'https://management.azure.com/',
  keyvault: 'https://vault.azure.net',
  tables: 'https://storage.azure.com/',
  queues: 'https://storage.azure.com/',
};

/** @param version of the secret of `speech`, which the issuer reads all the time */
export function attempts({ environment, resources }: LocalDescription, version: string): readonly Attempt[] {
  const { issuer, rotator } = environment;
  const account = resources.find(({ name }) => name === 'speech');
  const json = { 'content-type': 'application/json' };

  const arm = (what: string, operation: string, body?: object): Attempt => ({
    what,
    service: 'arm',
    operation,
    method: 'POST',
    url: `${rotator['BROKER_ARM_URL']}${account?.accountId}/${operation}?api-version=2025-06-01`,
    headers: json,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    rotatorMay: true,
  });
  const vault = (
    what: string,
    operation: string,
    request: string,
    rotatorMay: boolean,
    body?: object,
  ): Attempt => {
    const [method = '', path = ''] = request.split(' ');
    return {
      what,
      service: 'keyvault',
      operation,
      method,
      url: `${issuer['BROKER_KEY_VAULT_URL']}${path}?api-version=7.6`,
      headers: json,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      rotatorMay,
    };
  };
  const row = { PartitionKey: 'an', RowKey: 'attack' };
  const ROW = "(PartitionKey='an',RowKey='attack')";
  const ANY = { 'if-match': '*' };
  const table = (
    what: string,
    operation: string,
    request: string,
    rotatorMay: boolean,
    headers: Readonly<Record<string, string>> = {},
  ): Attempt => {
    const [method = '', path = ''] = request.split(' ');
    return {
      what,
      service: 'tables',
      operation,
      method,
      url: `${issuer['BROKER_TABLES_URL']}/${path}`,
      headers: {
        ...json,
        accept: 'application/json;odata=nometadata',
        'x-ms-version': '2019-02-02',
        ...headers,
      },
      ...(method === 'POST' || method === 'PUT' ? { body: JSON.stringify(row) } : {}),
      rotatorMay,
    };
  };
  const queue = (what: string, operation: string, request: string, rotatorMay: boolean): Attempt => {
    const [method = '', path = ''] = request.split(' ');
    return {
      what,
      service: 'queues',
      operation,
      method,
      url: `${issuer['BROKER_QUEUES_URL']}/${path}`,
      headers: { 'x-ms-version': '2021-12-02' },
      rotatorMay,
    };
  };
  const secret = `/secrets/${account?.secret}`;

  return [
    arm('list the keys of an account', 'listKeys'),
    arm('regenerate a key', 'regenerateKey', { keyName: 'Key2' }),
    vault('list the secrets', 'listSecrets', 'GET /secrets', true),
    vault(
      "list a secret's versions, and so find the spare slot's",
      'listSecretVersions',
      `GET ${secret}/versions`,
      true,
    ),
    vault('write a secret', 'setSecret', `PUT ${secret}`, true, { value: 'of the attacker' }),
    vault('disable the version in use', 'updateSecret', `PATCH ${secret}/${version}`, true, {
      attributes: { enabled: false },
    }),
    vault('delete a secret', 'deleteSecret', `DELETE ${secret}`, false),
    vault('read a deleted secret', 'getDeletedSecret', `GET /deletedsecrets/${account?.secret}`, true),
    vault(
      'recover a secret',
      'recoverDeletedSecret',
      `POST /deletedsecrets/${account?.secret}/recover`,
      false,
    ),
    vault('purge a secret', 'purgeDeletedSecret', `DELETE /deletedsecrets/${account?.secret}`, false),
    table('change an audit row', 'UpdateEntity audit', `PUT audit${ROW}`, false, ANY),
    table('put an audit row over another', 'InsertOrReplaceEntity audit', `PUT audit${ROW}`, false),
    table('change a part of an audit row', 'MergeEntity audit', `MERGE audit${ROW}`, false, ANY),
    table('delete an audit row', 'DeleteEntity audit', `DELETE audit${ROW}`, false, ANY),
    table('change rows in a transaction', 'Transaction', 'POST $batch', false),
    table('drop the audit', 'DeleteTable', "DELETE Tables('audit')", false),
    table("write a row of the rotation's", 'InsertEntity rotation', 'POST rotation', true),
    table("change a row of the rotation's", 'UpdateEntity rotation', `PUT rotation${ROW}`, true, ANY),
    table("delete a row of the rotation's", 'DeleteEntity rotation', `DELETE rotation${ROW}`, false, ANY),
    table('write history', 'InsertEntity history', 'POST history', true),
    table('delete history', 'DeleteEntity history', `DELETE history${ROW}`, false, ANY),
    table('say that a demand was carried out', 'UpdateEntity demands', `PUT demands${ROW}`, true, ANY),
    table('delete a demand', 'DeleteEntity demands', `DELETE demands${ROW}`, true, ANY),
    table(
      "delete an account's published row, or a revocation",
      'DeleteEntity state',
      `DELETE state${ROW}`,
      true,
      ANY,
    ),
    table('delete what tells how long tokens live', 'DeleteEntity ledger', `DELETE ledger${ROW}`, true, ANY),
    table('forget that an event came', 'DeleteEntity events', `DELETE events${ROW}`, true, ANY),
    ...['demands', 'events'].flatMap((name) => [
      queue(`take a message of ${name}`, `GetMessages ${name}`, `GET ${name}/messages`, true),
      queue(
        `look at a message of ${name}`,
        `PeekMessages ${name}`,
        `GET ${name}/messages?peekonly=true`,
        true,
      ),
      queue(`clear the queue ${name}`, `ClearMessages ${name}`, `DELETE ${name}/messages`, false),
      queue(`delete the queue ${name}`, `DeleteQueue ${name}`, `DELETE ${name}`, false),
    ]),
  ];
}

/** Who acts inside the issuer app; `rotator` is somebody else, for comparison. */
export const CARRIED = ['issuer', 'system', 'reader', 'app registration'] as const;
export type Acting = (typeof CARRIED)[number] | 'rotator';
export type TokenFor = (acting: Acting, service: Service) => Promise<string>;

/** @param clientIds of the identities, by name; the system-assigned one needs none */
export function tokensOf(
  { environment, entra }: LocalDescription,
  clientIds: Readonly<Record<'issuer' | 'reader', string>>,
): TokenFor {
  const got = new Map<string, Promise<string>>();
  const byIdentity = async (acting: Acting, resource: string): Promise<string> => {
    const app = environment[acting === 'rotator' ? 'rotator' : 'issuer'];
    const { system: _, ...named } = { system: '', ...clientIds, rotator: rotatorIdentity.clientId };
    const id = named[acting as keyof typeof named];
    const selector = id === undefined ? {} : { client_id: id };
    const query = new URLSearchParams({ 'api-version': '2019-08-01', resource, ...selector });
    const headers = { 'x-identity-header': app['IDENTITY_HEADER'] ?? '' };
    const answer = await fetch(`${app['IDENTITY_ENDPOINT']}?${query}`, { headers });
    return accessToken(await answer.json());
  };
  const byAssertion = async (resource: string): Promise<string> => {
    const answer = await fetch(`${entra.authority}/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: brokerClientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await byIdentity('issuer', 'api://AzureADTokenExchange'),
        scope: `${resource.replace(/\/$/, '')}/.default`,
      }),
    });
    return accessToken(await answer.json());
  };
  return (acting, service) => {
    const resource = AUDIENCES[service];
    const key = `${acting} ${resource}`;
    const token =
      got.get(key) ?? (acting === 'app registration' ? byAssertion(resource) : byIdentity(acting, resource));
    got.set(key, token);
    return token;
  };
}

export async function attack(
  { method, url, headers, body }: Attempt,
  token: string,
): Promise<{ readonly status: number; readonly code: string }> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers, authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  const [, code = ''] = /"code" ?: ?"(\w+)"|<Code>(\w+)<\/Code>/.exec(text)?.filter(Boolean) ?? [];
  return { status: answer.status, code };
}

function accessToken(answer: unknown): string {
  const token = (answer as { access_token?: unknown }).access_token;
  if (typeof token !== 'string') throw new Error('no token was given');
  return token;
}
