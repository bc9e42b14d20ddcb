import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('signals', {
  route: 'signals',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request) => broker().signal(request),
});
