import { app, type HttpRequest } from '@azure/functions';

app.http('told', {
  route: 'told/{what?}',
  handler: async (request) => {
    if (request.params['what'] === 'throw') throw new Error('the handler');
    return { body: request.headers.get('x-set-by-hook') ?? 'nothing' };
  },
});
app.hook.preInvocation((context) => {
  const request = context.inputs[0] as HttpRequest;
  if (request.params['what'] === 'refused') throw new Error('the hook');
  request.headers.set('x-set-by-hook', 'told by the hook');
  context.hookData['startedBy'] = 'the hook before';
});
app.hook.postInvocation((context) => {
  if (context.error) {
    context.result = { body: `healed, ${context.hookData['startedBy']}` };
    context.error = null;
  }
});
