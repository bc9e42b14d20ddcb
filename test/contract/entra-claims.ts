/** Microsoft Entra ID: discovery, the token endpoint, and what is in a token. */
import { type Claim, claimsOf, headerOf, must, shown, type Target } from './target.ts';

const SHEET = 'facts/entra-and-identity.md';

const discovery = (target: Target, tenant = target.entra.tenantId) =>
  target.send({
    service: 'entra',
    method: 'GET',
    url: `${target.entra.authority}/${tenant}/v2.0/.well-known/openid-configuration`,
  });
const tokenOf = (target: Target, form: Record<string, string>, tenant = target.entra.tenantId) =>
  target.send({
    service: 'entra',
    method: 'POST',
    url: `${target.entra.authority}/${tenant}/oauth2/v2.0/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
const NOBODY = {
  grant_type: 'client_credentials',
  client_id: '00000000-0000-4000-8000-0000000000ff',
  client_secret: 'none',
  scope: 'https://vault.azure.net/.default',
};
const codesOf = (body: Readonly<Record<string, unknown>>): string => JSON.stringify(body['error_codes']);

export const ENTRA_CLAIMS: readonly Claim[] = [
  {
    id: 'entra-discovery',
    source: SHEET,
    says: 'discovery names the tenant as issuer, its keys and its token endpoint',
    check: async (target) => {
      const answer = await discovery(target);
      const { issuer, jwks_uri, token_endpoint } = answer.body;
      must(answer.status === 200, shown(answer));
      must(String(issuer).includes(`/${target.entra.tenantId}/v2.0`), 'another issuer');
      must(
        URL.canParse(String(jwks_uri)) && URL.canParse(String(token_endpoint)),
        'no keys or no token endpoint',
      );
      return undefined;
    },
  },
  {
    id: 'entra-key-published',
    source: SHEET,
    says: 'the key that signed a token is among the published ones, by kid, as RSA',
    check: async (target) => {
      const { body } = await discovery(target);
      const keys = await target.send({ service: 'entra', method: 'GET', url: String(body['jwks_uri']) });
      const { kid, alg } = headerOf(await target.callerToken());
      const list = keys.body['keys'] as readonly { kid?: string; kty?: string }[] | undefined;
      must(alg === 'RS256', `alg ${String(alg)}`);
      must(list?.some((key) => key.kid === kid && key.kty === 'RSA') === true, 'its kid is not published');
      return undefined;
    },
  },
  {
    id: 'entra-claims',
    source: SHEET,
    says: 'a token has tid, oid, azp or appid, uti, ver, and iat and nbf of the same second',
    check: async (target) => {
      const claims = claimsOf(await target.callerToken());
      for (const name of ['tid', 'oid', 'uti', 'ver', 'exp']) must(name in claims, `no ${name}`);
      must('azp' in claims || 'appid' in claims, 'no azp and no appid');
      must(claims['iat'] === claims['nbf'], 'iat and nbf differ');
      return undefined;
    },
  },
  {
    id: 'entra-life',
    source: `${SHEET}, which asks whether Entra dates tokens back`,
    says: 'a token lives 60 to 90 minutes (a managed identity 24 hours, continuous access 28), and is dated back by 5 minutes at most',
    check: async (target) => {
      const claims = claimsOf(await target.callerToken());
      const [iat, exp] = [Number(claims['iat']), Number(claims['exp'])];
      const back = (await target.nowMs()) / 1000 - iat;
      const life = (exp - iat) / 60;
      must(life >= 59 && life <= 28 * 60 + 6, `it lives ${Math.round(life)} min`);
      must(back > -120 && back < 600, `it is dated ${Math.round(back)} s back`);
      return `lives ${Math.round(life)} min, dated ${Math.round(back)} s before it came`;
    },
  },
  {
    id: 'entra-unknown-client',
    source: SHEET,
    says: 'an application that is not there is AADSTS700016, and its error is not invalid_client',
    check: async (target) => {
      const answer = await tokenOf(target, NOBODY);
      must(codesOf(answer.body) === '[700016]', `${shown(answer)} ${codesOf(answer.body)}`);
      must(answer.body['error'] === 'unauthorized_client' && answer.status === 400, shown(answer));
      return undefined;
    },
  },
  {
    id: 'entra-unknown-tenant',
    source: SHEET,
    says: 'a tenant that is not there is 400 invalid_request, AADSTS90002',
    check: async (target) => {
      const answer = await tokenOf(target, NOBODY, '00000000-0000-4000-8000-0000000000fe');
      must(
        answer.status === 400 && codesOf(answer.body) === '[90002]',
        `${shown(answer)} ${codesOf(answer.body)}`,
      );
      return undefined;
    },
  },
];
