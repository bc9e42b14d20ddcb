import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

app.http('revoke', {
  route: 'oauth2/revoke',
  methods: ['POST', 'OPTIONS'],
  authLevel: 'anonymous',
  handler: (request) => issuer().cors('POST', request, () => issuer().revoke(request)),
});
