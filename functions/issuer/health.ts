import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

app.http('health', {
  route: 'health',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: () => issuer().health(),
});
