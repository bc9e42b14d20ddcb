import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';
import { settings } from '../src/config.ts';

app.timer('rotate', {
  schedule: settings.shape.BROKER_ROTATION_SCHEDULE.parse(process.env['BROKER_ROTATION_SCHEDULE']),
  handler: async () => {
    await broker().rotation.tick();
  },
});
