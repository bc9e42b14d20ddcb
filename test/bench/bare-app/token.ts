/**
 * What any exchange in this host costs at least: the form parsed, the caller's token verified by jose, a fixed answer.
 * The difference to the broker is the broker.
 */
import { app } from '@azure/functions';
import { importJWK, jwtVerify } from 'jose';
import { AUDIENCE, ISSUER } from '../subject-tokens.ts';

const publicKey = await importJWK(JSON.parse(process.env['BENCH_KEY'] ?? ''), 'RS256');

app.http('token', {
  route: 'oauth2/token',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const form = new URLSearchParams(await request.text());
    try {
      await jwtVerify(form.get('subject_token') ?? '', publicKey, { audience: AUDIENCE, issuer: ISSUER });
    } catch {
      return { status: 400 };
    }
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      jsonBody: {
        access_token: 'x'.repeat(600),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 598,
      },
    };
  },
});
