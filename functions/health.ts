import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

app.http('health', {
  route: 'health',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: () => broker().health(),
});
