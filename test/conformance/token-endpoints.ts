import { allowInsecureRequests, Configuration, customFetch } from 'openid-client';
import { createIntrospectionEndpoint } from '../../src/http/introspection.ts';
import { createRevocationEndpoint } from '../../src/http/revocation.ts';
import { sha256 } from '../../src/secret.ts';
import { caller, createWorld, HOME, START_MS, USER } from '../revocation/fakes.ts';
import { serve } from './serve.ts';

/** A broker that has handed out the token `issued`, and `openid-client` pointed at it with a caller's token. */
export async function brokerAndClient(token = 'good') {
  const world = createWorld();
  world.verified.set('good', caller());
  world.issued.set(sha256('issued'), {
    sha256: sha256('issued'),
    resource: 'aoai',
    tokenKind: 'obo',
    epoch: undefined,
    user: { tenantId: HOME, objectId: USER },
    issuedAtMs: START_MS - 60_000,
    expiresAtMs: START_MS + 60_000,
  });
  const { admit, issued } = world.revocation;
  const issuer = 'https://broker.example.test';
  const server = await serve({
    'POST /oauth2/introspect': createIntrospectionEndpoint({
      admit,
      issued,
      issuer,
      endpointOf: () => 'https://x',
    }),
    'POST /oauth2/revoke': createRevocationEndpoint({ admit, issued }),
  });
  const answers: Response[] = [];
  const config = new Configuration(
    {
      issuer,
      introspection_endpoint: `${server.url}/oauth2/introspect`,
      revocation_endpoint: `${server.url}/oauth2/revoke`,
    },
    'any',
    undefined,
    // RFC 7662 section 2.1: "a separate OAuth 2.0 access token such as a bearer token".
    (_server, _client, _body, headers) => headers.set('authorization', `Bearer ${token}`),
  );
  allowInsecureRequests(config);
  config[customFetch] = async (url, options) => {
    const answer = await fetch(url, options as RequestInit);
    answers.push(answer.clone());
    return answer;
  };
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Bearer ${token}`,
        ...headers,
      },
    });
  return { world, config, answers, post, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
