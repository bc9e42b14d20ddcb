/** Ten ways in which Azure could be otherwise than the simulator. Each breaks the claims that it names, at least. */
import type { Mutation } from './simulated-target.ts';
import type { Answer, Request } from './target.ts';

const is = ({ service, method, url }: Request, what: string, verb: string, path: string): boolean =>
  service === what && method === verb && new URL(url).pathname.includes(path);
const status = (answer: Answer, code: number): Answer => ({ ...answer, status: code });
const body = (answer: Answer, members: Readonly<Record<string, unknown>>): Answer => ({
  ...answer,
  body: { ...answer.body, ...members },
});
/** The same token with other claims; nobody here can verify its signature. */
const reclaimed = (
  token: string,
  change: (claims: Record<string, unknown>) => Record<string, unknown>,
): string => {
  const [head = '', middle = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(middle, 'base64url').toString()) as Record<string, unknown>;
  return [head, Buffer.from(JSON.stringify(change(claims))).toString('base64url'), signature].join('.');
};
const statusOf =
  (service: string, verb: string, path: string, from: number, to: number): (() => Mutation) =>
  () =>
  (request, answer) =>
    is(request, service, verb, path) && answer.status === from ? status(answer, to) : answer;

export const MUTATIONS: Readonly<
  Record<string, { readonly breaks: readonly string[]; readonly make: () => Mutation }>
> = {
  'regenerating one key changes both': {
    breaks: ['arm-regenerate-one'],
    make: () => {
      let times = 0;
      return (request, answer) => {
        if (is(request, 'arm', 'POST', '/regenerateKey') && answer.status === 200) times += 1;
        if (!is(request, 'arm', 'POST', 'Key') || answer.status !== 200 || times === 0) return answer;
        return body(answer, { key1: `${times}`.repeat(32).slice(0, 32) });
      };
    },
  },
  'lower-case key names are taken': {
    breaks: ['arm-key-name'],
    make: statusOf('arm', 'POST', '/regenerateKey', 400, 200),
  },
  'a token of an hour': {
    breaks: ['sts-token'],
    make: () => (request, answer) =>
      is(request, 'sts', 'POST', '/issueToken') && answer.status === 200
        ? {
            ...answer,
            text: reclaimed(answer.text, (claims) => ({ ...claims, exp: Number(claims['exp']) + 3_000 })),
          }
        : answer,
  },
  'a token without the name of its account': {
    breaks: ['sts-names-account'],
    make: () => (request, answer) =>
      is(request, 'sts', 'POST', '/issueToken') && answer.status === 200
        ? { ...answer, text: reclaimed(answer.text, ({ 'azure-resource-id': _, ...claims }) => claims) }
        : answer,
  },
  'an old key that is refused with 403': {
    breaks: ['sts-bad-key', 'sts-old-key'],
    make: statusOf('sts', 'POST', '/issueToken', 401, 403),
  },
  'a new value under the old version': {
    breaks: ['vault-newest', 'vault-same-value'],
    make: () => (request, answer) =>
      is(request, 'vault', 'PUT', '/secrets/') && answer.status === 200
        ? body(answer, { id: 'https://vault/secrets/contract/always-the-same' })
        : answer,
  },
  'a disabled version that says Forbidden and no more': {
    breaks: ['vault-disabled'],
    make: () => (request, answer) =>
      is(request, 'vault', 'GET', '/secrets/') && answer.status === 403
        ? body(answer, { error: { code: 'Forbidden' } })
        : answer,
  },
  'a deleted secret that takes a new version': {
    breaks: ['vault-deleted'],
    make: statusOf('vault', 'PUT', '/secrets/', 409, 200),
  },
  'an unknown application that is invalid_client': {
    breaks: ['entra-unknown-client'],
    make: () => (request, answer) =>
      is(request, 'entra', 'POST', '/token') && answer.body['error'] === 'unauthorized_client'
        ? { ...body(answer, { error: 'invalid_client' }), status: 401 }
        : answer,
  },
  'a write on a stale ETag that is taken': {
    breaks: ['table-stale-etag'],
    make: statusOf('tables', 'PUT', '/', 412, 204),
  },
};
