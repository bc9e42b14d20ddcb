import { app } from '@azure/functions';
import { rotator } from '../../src/rotator.ts';

/** Builds the rotator when the app starts, so that a wrong setting or policy is reported before the first tick. */
app.hook.appStart(() => {
  try {
    rotator();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // One line, so that Application Insights keeps it as one trace.
    console.error(`the rotator does nothing: ${why.replaceAll('\n', '; ')}`);
  }
});
