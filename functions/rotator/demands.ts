import { app } from '@azure/functions';
import { rotator } from '../../src/rotator.ts';

/** The issuer app tells of a demand by its id. If it throws, the message comes again. */
app.storageQueue('demands', {
  queueName: 'demands',
  connection: 'BROKER_QUEUES',
  handler: async (message) => {
    await rotator().demand(message);
  },
});
