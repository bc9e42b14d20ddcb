import { app } from '@azure/functions';
import { rotator } from '../../src/rotator.ts';

/** Microsoft Graph may lose events or deliver them late. A change without an event is noticed within this period. */
app.timer('reconcile', {
  schedule: '30 */5 * * * *',
  handler: () => rotator().reconcile(),
});
