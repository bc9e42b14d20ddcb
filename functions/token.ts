import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';
import { ReadyResponse } from '../src/http/ready-response.ts';

app.http('token', {
  route: 'oauth2/token',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => new ReadyResponse(await broker().token(request)),
});
