import { app } from '@azure/functions';
import { issuer } from '../../src/issuer.ts';

let isBuilt = false;

/** Builds the issuer when the app starts, so that a wrong setting or policy is reported before the first call. */
app.hook.appStart(() => {
  try {
    issuer();
    isBuilt = true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // One line, so that Application Insights keeps it as one trace.
    console.error(`the issuer serves nothing: ${why.replaceAll('\n', '; ')}`);
  }
});

/** Traces and metrics that have not been sent yet. An app that could not be built has none. */
app.hook.appTerminate(async () => {
  if (isBuilt) await issuer().flush();
});
