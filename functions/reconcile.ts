import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

/** Microsoft Graph promises no latency for its events and loses some: this is how long one may stay unnoticed. */
app.timer('reconcile', {
  schedule: '30 */5 * * * *',
  handler: () => broker().reconcile(),
});
