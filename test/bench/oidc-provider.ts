/**
 * The same exchange by oidc-provider 9: its token endpoint with a token-exchange grant, a public client, its
 * in-memory store, opaque access tokens (no signing, in its favour). No audit, no revocation check. A script
 * for load.ts to fork.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import Provider from 'oidc-provider';
import { AUDIENCE, createSubjectTokens, GRANT_TYPE, ISSUER } from './subject-tokens.ts';

const CLIENT = 'app';
const { publicKey, bodies } = await createSubjectTokens({ client_id: CLIENT });

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(url, {
    clients: [
      {
        client_id: CLIENT,
        grant_types: [GRANT_TYPE],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'none',
      },
    ],
    ttl: { AccessToken: 600 },
  });
  provider.registerGrantType(
    GRANT_TYPE,
    async (context) => {
      const { client, params } = context.oidc;
      const { payload } = await jwtVerify(params['subject_token'] ?? '', publicKey, {
        audience: AUDIENCE,
        issuer: ISSUER,
      });
      const token = new provider.AccessToken({
        accountId: payload.sub,
        client,
        grantId: payload['uti'],
        gty: 'token_exchange',
      });
      context.body = {
        access_token: await token.save(),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: token.expiration,
      };
    },
    ['subject_token', 'subject_token_type', 'resource'],
  );
  server.on('request', provider.callback());
  process.send?.({ url: `${url}/token`, bodies });
});
process.on('disconnect', () => process.exit());
