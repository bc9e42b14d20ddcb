import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('introspect', {
  route: 'oauth2/introspect',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request) => broker().introspect(request),
});
