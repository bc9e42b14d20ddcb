import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

app.http('introspect', {
  route: 'oauth2/introspect',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request) => issuer().introspect(request),
});
