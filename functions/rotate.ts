import { app } from '@azure/functions';
import { broker, rotationSchedule } from '../src/broker.ts';

app.timer('rotate', {
  schedule: rotationSchedule(),
  handler: async () => {
    await broker().rotation.tick();
  },
});
