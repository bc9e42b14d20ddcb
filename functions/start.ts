import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

/** Builds the broker when the app starts, so that a wrong setting or policy is reported before the first call. */
app.hook.appStart(() => {
  try {
    broker();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // One line, so that Application Insights keeps it as one trace.
    console.error(`the broker serves nothing: ${why.replaceAll('\n', '; ')}`);
  }
});
