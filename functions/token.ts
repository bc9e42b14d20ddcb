import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';
import { ReadyResponse } from '../src/http/ready-response.ts';

app.http('token', {
  route: 'oauth2/token',
  methods: ['POST', 'OPTIONS'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const { cors, token } = broker();
    const answer = await cors('POST', request, () => token(request));
    return answer.jsonBody === undefined ? answer : new ReadyResponse(answer);
  },
});
