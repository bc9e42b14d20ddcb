import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

/** Wrong settings or a wrong policy are named when the app starts, not when the first caller comes. */
app.hook.appStart(() => {
  try {
    broker();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // One line, so that Application Insights keeps it as one trace.
    console.error(`the broker serves nothing: ${why.replaceAll('\n', '; ')}`);
  }
});
