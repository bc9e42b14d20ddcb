import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

/** Takes what revokes, in the Event Grid and the CloudEvents schema. If it throws, the event is delivered again. */
app.eventGrid('react', {
  handler: async (event) => {
    await issuer().react(event);
  },
});
