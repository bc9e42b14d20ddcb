import { app } from '@azure/functions';

app.http('openapi', {
  route: 'openapi.json',
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: async () => {
    const { openApi } = await import('../../src/http/openapi.ts');
    return { jsonBody: openApi(), headers: { 'cache-control': 'max-age=300' } };
  },
});
