import { app } from '@azure/functions';
import { ReadyResponse } from '../../src/http/ready-response.ts';
import { issuer } from '../../src/issuer.ts';

app.http('token', {
  route: 'oauth2/token',
  methods: ['POST', 'OPTIONS'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const { cors, token } = issuer();
    const answer = await cors('POST', request, () => token(request));
    return answer.jsonBody === undefined ? answer : new ReadyResponse(answer);
  },
});
