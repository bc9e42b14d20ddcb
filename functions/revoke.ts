import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('revoke', {
  route: 'oauth2/revoke',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request) => broker().revoke(request),
});
