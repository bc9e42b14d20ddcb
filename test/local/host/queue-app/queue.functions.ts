import { app } from '@azure/functions';
import { taken } from './taken.ts';

app.storageQueue('work', {
  queueName: '%TEST_QUEUE%',
  connection: 'TEST_QUEUES',
  handler: async (message, context) => {
    const entry = { message, triggerMetadata: context.triggerMetadata };
    taken.messages.push(entry);
    taken.arrived?.();
    await taken.meanwhile?.(message);
  },
});
app.storageQueue('nowhere', { queueName: 'x', connection: 'NOT_SET', handler: () => undefined });
