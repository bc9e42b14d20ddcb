import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';
import { boundedSignal } from '../src/http/bounded.ts';

app.http('signals', {
  route: 'signals',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: boundedSignal((request) => broker().signal(request)),
});
