import { app } from '@azure/functions';
import { boundedSignal } from '../../src/http/bounded.ts';
import { issuer } from '../../src/issuer.ts';

app.http('signals', {
  route: 'signals',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: boundedSignal((request) => issuer().signal(request)),
});
