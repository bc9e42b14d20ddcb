import { createVerifyCaller } from '../../src/exchange/verify.ts';
import { metadata } from '../../src/http/metadata.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { NOW_MS } from '../exchange/caller.ts';
import { applicationClaims, BROKER, goodHeader, publishedKeys, signed } from '../exchange/entra-token.ts';
import { createWorld, type WorldOptions } from '../exchange/world.ts';
import { HOME } from '../policy/sample.ts';
import { serve } from './serve.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const JWT = 'urn:ietf:params:oauth:token-type:jwt';
/** Of the application that the sample policy lets have `speech`. */
export const subjectToken = signed(goodHeader, applicationClaims);
export const good = {
  grant_type: TOKEN_EXCHANGE,
  subject_token: subjectToken,
  subject_token_type: ACCESS_TOKEN,
  resource: 'https://speech.example',
};

/** The token endpoint on a real socket, with everything real behind it but Azure. */
export async function exchangeEndpoint(options: WorldOptions = {}) {
  const verify = createVerifyCaller({
    keys: publishedKeys(),
    clock: () => NOW_MS,
    clientId: BROKER,
    audienceUris: [],
    homeTenantId: HOME,
    acceptV1: false,
    isAllowedTenant: async (tenantId) => tenantId === HOME,
  });
  const world = createWorld({ verify, ...options });
  const endpoint = createTokenEndpoint({
    exchange: world.exchange,
    clock: () => world.nowMs,
    log: () => undefined,
  });
  // The issuer is a setting; here it is known only once the server listens.
  const settings = { BROKER_ISSUER: '', BROKER_FRESHNESS_SECONDS: 0 };
  const server = await serve({
    'POST /oauth2/token': endpoint,
    'GET /.well-known/oauth-authorization-server': async () => ({
      status: 200,
      jsonBody: metadata(settings),
    }),
  });
  settings.BROKER_ISSUER = server.url;
  const send = (body: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${server.url}/oauth2/token`, { method: 'POST', body, headers });
  return {
    world,
    url: server.url,
    send,
    /** As a form; `undefined` takes a member away, a list repeats it. */
    post: (
      members: Record<string, string | readonly string[] | undefined>,
      headers: Record<string, string> = {},
    ) => {
      const form = new URLSearchParams();
      for (const [name, value] of Object.entries(members))
        for (const one of value === undefined ? [] : [value].flat()) form.append(name, one);
      return send(form.toString(), { 'content-type': 'application/x-www-form-urlencoded', ...headers });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
