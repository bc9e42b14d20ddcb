import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('revoke', {
  route: 'oauth2/revoke',
  methods: ['POST', 'OPTIONS'],
  authLevel: 'anonymous',
  handler: (request) => broker().cors('POST', request, () => broker().revoke(request)),
});
