import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('metadata', {
  route: '.well-known/oauth-authorization-server',
  methods: ['GET', 'HEAD', 'OPTIONS'],
  authLevel: 'anonymous',
  handler: (request) =>
    broker().cors('GET', request, async () => ({
      jsonBody: broker().metadata,
      headers: { 'cache-control': 'max-age=300' },
    })),
});
