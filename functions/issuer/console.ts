import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

app.http('console', {
  route: 'console',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: async () => (await issuer().console()).page(),
});

app.http('console-asset', {
  route: 'console/assets/{name}',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: async (request) => (await issuer().console()).asset(request),
});
