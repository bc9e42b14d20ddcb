import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

app.http('metadata', {
  route: '.well-known/oauth-authorization-server',
  methods: ['GET', 'HEAD', 'OPTIONS'],
  authLevel: 'anonymous',
  handler: (request) =>
    issuer().cors('GET', request, async () => ({
      jsonBody: issuer().metadata,
      headers: { 'cache-control': 'max-age=300' },
    })),
});
