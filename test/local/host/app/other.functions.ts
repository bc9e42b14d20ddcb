import { app, type Timer } from '@azure/functions';
import { seen } from './seen.ts';

const keep = (name: string) => (timer: Timer) => {
  seen.timers.push({ name, timer, at: Date.now() });
};
app.timer('five-minutes', { schedule: '0 */5 * * * *', handler: keep('five-minutes') });
app.timer('five-fields', { schedule: '*/10 * * * *', handler: keep('five-fields') });
app.timer('by-setting', { schedule: '%TEST_SCHEDULE%', handler: keep('by-setting') });
app.timer('span', { schedule: '00:00:15', handler: keep('span') });
app.timer('unmonitored', { schedule: '0 0 * * * *', useMonitor: false, handler: keep('unmonitored') });
app.timer('at-start', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: keep('at-start') });
app.timer('wrong', { schedule: 'every now and then', handler: keep('wrong') });
app.timer('fails', {
  schedule: '0 */7 * * * *',
  handler: (timer) => {
    keep('fails')(timer);
    throw new Error('the tick failed');
  },
});
app.timer('slow', {
  schedule: '0 */3 * * * *',
  handler: async (timer) => {
    keep('slow')(timer);
    await new Promise<void>((resolve) => seen.waiting.push(resolve));
  },
});

app.eventGrid('listen', {
  handler: async (event, context) => {
    seen.running += 1;
    seen.mostRunning = Math.max(seen.mostRunning, seen.running);
    await new Promise((resolve) => setImmediate(resolve));
    seen.running -= 1;
    seen.events.push({ event: { ...event }, triggerMetadata: context.triggerMetadata });
    if (event.data?.['fail']) throw new Error('the event failed');
  },
});

app.hook.appStart(() => {
  seen.hooks.push('appStart');
});
app.hook.appTerminate(() => {
  seen.hooks.push('appTerminate');
});
