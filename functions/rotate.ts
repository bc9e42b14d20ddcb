import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';
import { INITIAL_ROTATION_SCHEDULE, settings } from '../src/config.ts';

app.timer('rotate', {
  // A wrong one is named by the broker, which then serves nothing; here nothing may throw, or no route would answer.
  schedule: settings.shape.BROKER_ROTATION_SCHEDULE.catch(INITIAL_ROTATION_SCHEDULE).parse(
    process.env['BROKER_ROTATION_SCHEDULE'],
  ),
  handler: async () => {
    await broker().rotation.tick();
  },
});
