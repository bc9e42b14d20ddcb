import { app } from '@azure/functions';
import { rotator } from '../../src/rotator.ts';

/** One event a message, as Event Grid writes it. If it throws, the message comes again. */
app.storageQueue('events', {
  queueName: 'events',
  connection: 'BROKER_QUEUES',
  handler: async (event) => {
    await rotator().react(event);
  },
});
