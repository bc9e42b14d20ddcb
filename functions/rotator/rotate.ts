import { app } from '@azure/functions';
import { rotationSchedule, rotator } from '../../src/rotator.ts';

app.timer('rotate', {
  schedule: rotationSchedule(),
  handler: async () => {
    await rotator().rotate();
  },
});
