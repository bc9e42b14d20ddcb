import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('token', {
  route: 'oauth2/token',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request) => broker().token(request),
});
