/** The key exchange, and what the data plane makes of keys and tokens. */
import { listKeys, regenerate } from './arm-claims.ts';
import { type Answer, type Claim, claimsOf, headerOf, must, shown, type Target } from './target.ts';

const SHEET = 'facts/azure-ai-and-keys.md';
/** Azure's own words for how long its gateways may go on with an old key: "up to several hours". Not waited for. */
const MAX_WAIT_SECONDS = 1_800;
const LOOK_EVERY_SECONDS = 10;

const issue = (target: Target, key: string): Promise<Answer> =>
  target.send({
    service: 'sts',
    method: 'POST',
    url: `${target.account.endpoint}/sts/v1.0/issueToken`,
    headers: { 'ocp-apim-subscription-key': key, 'content-length': '0' },
  });
const voices = (target: Target, headers: Record<string, string>): Promise<Answer> =>
  target.send({
    service: 'ai',
    method: 'GET',
    url: `${target.account.endpoint}/tts/cognitiveservices/voices/list`,
    headers,
  });

async function bought(target: Target, key: string): Promise<string> {
  const answer = await issue(target, key);
  must(answer.status === 200, shown(answer));
  return answer.text;
}
/** @returns how many seconds it took */
async function until(target: Target, isSo: () => Promise<boolean>, what: string): Promise<number> {
  for (let passed = 0; passed <= MAX_WAIT_SECONDS; passed += LOOK_EVERY_SECONDS) {
    if (await isSo()) return passed;
    await target.pass(LOOK_EVERY_SECONDS);
  }
  must(false, `${what}, after ${MAX_WAIT_SECONDS} s`);
  return MAX_WAIT_SECONDS;
}

export const STS_CLAIMS: readonly Claim[] = [
  {
    id: 'sts-token',
    source: `${SHEET} 1.3`,
    says: 'a token is a bare JWT of ten minutes, signed by an algorithm that JOSE has not, with exp and without iat, nbf and jti',
    check: async (target) => {
      const token = await bought(target, (await listKeys(target)).key1);
      const claims = claimsOf(token);
      const left = Number(claims['exp']) - (await target.nowMs()) / 1000;
      must(String(headerOf(token)['alg']).startsWith('http'), 'alg is one of JOSE');
      must(left > 480 && left <= 605, `exp is ${Math.round(left)} s ahead`);
      for (const name of ['iat', 'nbf', 'jti', 'sub']) must(!(name in claims), `it has ${name}`);
      return `${Math.round(left)} s`;
    },
  },
  {
    id: 'sts-names-account',
    source: `${SHEET} 1.3`,
    says: 'a token names its account, subscription and region to whoever holds it',
    check: async (target) => {
      const claims = claimsOf(await bought(target, (await listKeys(target)).key1));
      must(
        String(claims['azure-resource-id']).toLowerCase() === target.account.id.toLowerCase(),
        'another azure-resource-id',
      );
      must('region' in claims && 'subscription-id' in claims, 'no region or subscription-id');
      return undefined;
    },
  },
  {
    id: 'sts-bad-key',
    source: `${SHEET} 1.4`,
    says: 'a key that is none is 401, in one of the two envelopes',
    check: async (target) => {
      const answer = await issue(target, '0'.repeat(32));
      must(answer.status === 401 && ('error' in answer.body || 'statusCode' in answer.body), shown(answer));
      return undefined;
    },
  },
  {
    id: 'sts-token-used',
    source: `${SHEET} 1.2`,
    says: 'the account takes the token as Bearer at its own endpoint',
    check: async (target) => {
      const token = await bought(target, (await listKeys(target)).key1);
      const answer = await voices(target, { authorization: `Bearer ${token}` });
      must(answer.status === 200, shown(answer));
      return undefined;
    },
  },
  {
    id: 'ai-no-token',
    source: `${SHEET} 1.4`,
    says: 'without key and token: 401',
    check: async (target) => {
      const answer = await voices(target, {});
      must(answer.status === 401, shown(answer));
      return undefined;
    },
  },
  {
    id: 'sts-new-key',
    source: `${SHEET} 2.4`,
    says: 'a new key is accepted, after a while',
    check: async (target) => {
      must((await regenerate(target, 'Key2')).status === 200, 'not regenerated');
      const { key2 } = await listKeys(target);
      const took = await until(
        target,
        async () => (await issue(target, key2)).status === 200,
        'still refused',
      );
      return `within ${took} s`;
    },
  },
  {
    id: 'sts-old-key',
    source: `${SHEET} 1.6, 2.4`,
    says: 'the old key of a regenerated slot is refused with 401, after a while, and the other slot goes on',
    check: async (target) => {
      const { key1, key2 } = await listKeys(target);
      await until(target, async () => (await issue(target, key2)).status === 200, 'not accepted before');
      must((await regenerate(target, 'Key2')).status === 200, 'not regenerated');
      const took = await until(
        target,
        async () => (await issue(target, key2)).status === 401,
        'still accepted',
      );
      must((await issue(target, key1)).status === 200, 'the other slot is refused too');
      return `within ${took} s`;
    },
  },
  {
    id: 'sts-token-outlives-key',
    source: `${SHEET} 1.6, which says that nobody knows`,
    says: 'a token goes on to its end after its key was regenerated (the broker is right both ways; the simulator has either)',
    check: async (target) => {
      const { key2 } = await listKeys(target);
      await until(target, async () => (await issue(target, key2)).status === 200, 'not accepted');
      const token = await bought(target, key2);
      must((await regenerate(target, 'Key2')).status === 200, 'not regenerated');
      await until(
        target,
        async () => (await issue(target, key2)).status === 401,
        'the old key is still accepted',
      );
      const left = Number(claimsOf(token)['exp']) - (await target.nowMs()) / 1000;
      if (left < 10) return 'the old key was accepted for as long as the token: not told';
      const answer = await voices(target, { authorization: `Bearer ${token}` });
      must(answer.status === 200, `${shown(answer)}: regenerating ends its tokens`);
      return `alive ${Math.round(left)} s before its end`;
    },
  },
];
