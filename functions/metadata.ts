import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('metadata', {
  route: '.well-known/oauth-authorization-server',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => ({ jsonBody: broker().metadata, headers: { 'cache-control': 'max-age=300' } }),
});
