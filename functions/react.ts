import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

/** Event Grid and CloudEvents schema alike. What throws is delivered again; what returns is acknowledged. */
app.eventGrid('react', {
  handler: async (event) => {
    await broker().react(event);
  },
});
