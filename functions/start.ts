import { app } from '@azure/functions';
import { broker } from '../src/broker.ts';

/** Wrong settings or a wrong policy are named when the app starts, not when the first caller comes. */
app.hook.appStart(() => {
  try {
    broker();
  } catch (error) {
    console.error(`the broker serves nothing: ${error instanceof Error ? error.message : error}`);
  }
});
