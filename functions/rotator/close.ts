import { app } from '@azure/functions';
import { rotator } from '../../src/rotator.ts';

/** A minute later another run goes on where this one ended, or begins again what it could not do. */
app.timer('close', {
  schedule: '10 * * * * *',
  handler: () => rotator().close(),
});
