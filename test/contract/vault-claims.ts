/** Key Vault's secrets. */
import { type Answer, bearer, type Claim, must, shown, type Target } from './target.ts';

const SHEET = 'facts/azure-ai-and-keys.md 3';
const VERSION = 'api-version=7.4';
const SCOPE = 'https://vault.azure.net/.default';

async function vault(target: Target, method: string, path: string, body?: object): Promise<Answer> {
  return target.send({
    service: 'vault',
    method,
    url: `${target.vaultUrl}/secrets/${target.secret}${path}?${VERSION}`,
    headers: { ...(await bearer(target, SCOPE)), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
const versionOf = ({ body }: Answer): string => String(body['id']).split('/').at(-1) ?? '';
async function put(target: Target, value: string): Promise<string> {
  const answer = await vault(target, 'PUT', '', { value });
  must(answer.status === 200, shown(answer));
  return versionOf(answer);
}
/** The code inside of Key Vault's error, which is the one that tells. */
const inner = ({ body }: Answer): string => {
  const { innererror } = { ...(body['error'] as { innererror?: { code?: string } } | undefined) };
  return String(innererror?.code);
};

export const VAULT_CLAIMS: readonly Claim[] = [
  {
    id: 'vault-challenge',
    source: SHEET,
    says: 'without a token: 401 with the tenant and the resource to ask a token for',
    check: async (target) => {
      const url = `${target.vaultUrl}/secrets/${target.secret}?${VERSION}`;
      const answer = await target.send({ service: 'vault', method: 'GET', url });
      const challenge = answer.headers.get('www-authenticate') ?? '';
      must(answer.status === 401, shown(answer));
      must(
        /authorization="https:[^"]+"/.test(challenge) && /(resource|scope)="https:/.test(challenge),
        'no challenge',
      );
      return undefined;
    },
  },
  {
    id: 'vault-newest',
    source: SHEET,
    says: 'each write is a version of its own, and a read without a version has the newest',
    check: async (target) => {
      const first = await put(target, 'one');
      const second = await put(target, 'two');
      must(first !== second, 'the same version twice');
      const read = await vault(target, 'GET', '');
      must(read.body['value'] === 'two' && versionOf(read) === second, shown(read));
      const before = await vault(target, 'GET', `/${first}`);
      must(before.body['value'] === 'one', shown(before));
      return undefined;
    },
  },
  {
    id: 'vault-same-value',
    source: SHEET,
    says: 'a write of the same value is a new version too, so that it is not idempotent',
    check: async (target) => {
      const first = await put(target, 'same');
      must(first !== (await put(target, 'same')), 'the same version');
      return undefined;
    },
  },
  {
    id: 'vault-disabled',
    source: SHEET,
    says: 'a disabled version cannot be read: 403, with SecretDisabled inside',
    check: async (target) => {
      const version = await put(target, 'to be disabled');
      const disabled = await vault(target, 'PATCH', `/${version}`, { attributes: { enabled: false } });
      must(disabled.status === 200, shown(disabled));
      const read = await vault(target, 'GET', `/${version}`);
      must(read.status === 403 && inner(read) === 'SecretDisabled', `${shown(read)} ${inner(read)}`);
      await put(target, 'enabled again');
      return undefined;
    },
  },
  {
    id: 'vault-list',
    source: SHEET,
    says: 'the list of versions has ids and attributes, and no value',
    check: async (target) => {
      const answer = await vault(target, 'GET', '/versions');
      const items = answer.body['value'];
      must(answer.status === 200 && Array.isArray(items) && items.length > 0, shown(answer));
      for (const item of items as readonly object[])
        must('id' in item && !('value' in item), 'a value is in the list');
      return undefined;
    },
  },
  {
    id: 'vault-deleted',
    source: SHEET,
    says: 'a deleted secret is 404, takes no new version (409), and can be recovered whole',
    check: async (target) => {
      await put(target, 'kept');
      await target.byHand.deleteSecret(true);
      try {
        const read = await vault(target, 'GET', '');
        must(read.status === 404, shown(read));
        const written = await vault(target, 'PUT', '', { value: 'no' });
        must(written.status === 409, shown(written));
      } finally {
        await target.byHand.deleteSecret(false);
      }
      const read = await vault(target, 'GET', '');
      must(read.body['value'] === 'kept', shown(read));
      return undefined;
    },
  },
];
