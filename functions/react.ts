import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

/** Takes events in the Event Grid and the CloudEvents schema. If it throws, the event is delivered again. */
app.eventGrid('react', {
  handler: async (event) => {
    await broker().react(event);
  },
});
