import { app } from '@azure/functions';
import { openApi } from '../src/http/openapi.ts';

app.http('openapi', {
  route: 'openapi.json',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => ({ jsonBody: openApi(), headers: { 'cache-control': 'max-age=300' } }),
});
