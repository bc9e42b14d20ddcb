/** Azure Resource Manager and the keys of an AI account. */
import { type Answer, bearer, type Claim, must, shown, type Target, Untestable } from './target.ts';

const SHEET = 'facts/azure-ai-and-keys.md';
const VERSION = 'api-version=2025-06-01';
const SCOPE = 'https://management.azure.com/.default';
/** The two shapes in use: 32 hexadecimal digits, and 84 characters of the newer kind. */
const KEY = /^([0-9a-f]{32}|[A-Za-z0-9]{84})$/;

async function arm(
  target: Target,
  method: string,
  path: string,
  body?: object,
  id = target.account.id,
): Promise<Answer> {
  const answer = await target.send({
    service: 'arm',
    method,
    url: `${target.armUrl}${id}${path}?${VERSION}`,
    headers: { ...(await bearer(target, SCOPE)), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (shown(answer) === '403 AuthorizationFailed')
    throw new Untestable('whoever asks here has not the right for it');
  return answer;
}
export async function listKeys(target: Target): Promise<{ readonly key1: string; readonly key2: string }> {
  const answer = await arm(target, 'POST', '/listKeys');
  must(answer.status === 200, shown(answer));
  const { key1, key2 } = answer.body;
  if (typeof key1 !== 'string' || typeof key2 !== 'string') must(false, 'no key1 and key2');
  return { key1: String(key1), key2: String(key2) };
}
export async function regenerate(target: Target, keyName: string): Promise<Answer> {
  return arm(target, 'POST', '/regenerateKey', { keyName });
}

export const ARM_CLAIMS: readonly Claim[] = [
  {
    id: 'arm-list-keys',
    source: `${SHEET} 2.2`,
    says: 'listKeys answers key1 and key2, each of one of the two shapes that leak looks for',
    check: async (target) => {
      const { key1, key2 } = await listKeys(target);
      must(key1 !== key2, 'both keys are the same');
      must(KEY.test(key1) && KEY.test(key2), `lengths ${key1.length} and ${key2.length}`);
      return undefined;
    },
  },
  {
    id: 'arm-regenerate-one',
    source: `${SHEET} 2.2`,
    says: 'regenerateKey changes the one slot, answers at once with both keys, and listKeys says the same',
    check: async (target) => {
      const before = await listKeys(target);
      const answer = await regenerate(target, 'Key2');
      must(answer.status === 200, shown(answer));
      const after = await listKeys(target);
      must(after.key1 === before.key1, 'key1 has changed too');
      must(after.key2 !== before.key2, 'key2 is the old one');
      must(
        answer.body['key1'] === after.key1 && answer.body['key2'] === after.key2,
        'its answer has other keys',
      );
      return undefined;
    },
  },
  {
    id: 'arm-key-name',
    source: `${SHEET} 2.2`,
    says: 'key1 in lower case is refused: 400 BadRequest',
    check: async (target) => {
      const answer = await regenerate(target, 'key1');
      must(answer.status === 400 && shown(answer) === '400 BadRequest', shown(answer));
      return undefined;
    },
  },
  {
    id: 'arm-not-found',
    source: `${SHEET} 2.2`,
    says: 'an account that is not there is 404 ResourceNotFound',
    check: async (target) => {
      const answer = await arm(target, 'GET', '', undefined, `${target.account.id}-none`);
      must(shown(answer) === '404 ResourceNotFound', shown(answer));
      return undefined;
    },
  },
  {
    id: 'arm-no-token',
    source: `${SHEET} 2.2`,
    says: 'without a token: 401',
    check: async (target) => {
      const url = `${target.armUrl}${target.account.id}?${VERSION}`;
      const answer = await target.send({ service: 'arm', method: 'GET', url });
      must(answer.status === 401, shown(answer));
      return undefined;
    },
  },
  {
    id: 'arm-account',
    source: `${SHEET} 2.2`,
    says: 'an account has kind, location, properties.endpoint and properties.disableLocalAuth',
    check: async (target) => {
      const answer = await arm(target, 'GET', '');
      const { kind, location, properties } = answer.body;
      const { endpoint } = { ...(properties as Record<string, unknown> | undefined) };
      must(
        kind === target.account.kind && typeof location === 'string',
        `${shown(answer)} kind ${String(kind)}`,
      );
      must(typeof endpoint === 'string' && URL.canParse(endpoint), 'no endpoint');
      return undefined;
    },
  },
  {
    id: 'arm-keys-off',
    source: `${SHEET} 1.4, 2.2`,
    says: 'with disableLocalAuth listKeys is 400 BadRequest',
    check: async (target) => {
      await target.byHand.switchKeys(true);
      try {
        const answer = await arm(target, 'POST', '/listKeys');
        must(shown(answer) === '400 BadRequest', shown(answer));
      } finally {
        await target.byHand.switchKeys(false);
      }
      return undefined;
    },
  },
  {
    id: 'arm-throttled',
    source: `${SHEET} 2.3`,
    says: 'beyond 200 writes at once ARM answers 429 with Retry-After in seconds',
    check: async (target) => {
      for (let sent = 0; sent < 300; sent += 25) {
        const answers = await Promise.all(Array.from({ length: 25 }, () => arm(target, 'POST', '/listKeys')));
        const busy = answers.find(({ status }) => status === 429);
        if (busy === undefined) continue;
        const wait = Number(busy.headers.get('retry-after'));
        must(wait >= 1 && wait <= 3_600, `Retry-After ${busy.headers.get('retry-after')}`);
        await target.pass(wait + 30);
        return `after ${sent + 25} calls at most, Retry-After ${wait} s`;
      }
      must(false, '300 calls were taken');
      return undefined;
    },
  },
];
