/**
 * `npm run trace`: starts the local mode with telemetry on and an OTLP collector that decodes the protobuf, makes one
 * exchange and one rotation, and prints their traces as trees.
 */
import { readCommandLine } from '../../src/command-line.ts';
import { rotateBoth, startScene, tick } from './scene.ts';
import { treeOf } from './tree.ts';

readCommandLine(
  `npm run trace

  Prints the traces of one exchange and of one rotation, and the metrics, as an
  OTLP collector gets them. It has no options.`,
  { options: {} },
);

await using scene = await startScene({ BROKER_ROTATION_SCHEDULE: '0 0 0 1 1 *' });
const { stack, collector, span } = scene;
await tick(scene);
await span(({ name }) => name === 'rotate');

const token = await stack.callerToken('captions');
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const headers = {
  'content-type': 'application/x-www-form-urlencoded',
  traceparent: `00-${TRACE}-b7ad6b7169203331-00`,
};
const body = new URLSearchParams({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  resource: 'speech',
}).toString();
const { status } = await stack.post(body, headers);
await span(({ traceId }) => traceId === TRACE);
console.log(`an exchange, answered ${status}\n${treeOf(collector.spans, TRACE)}\n`);
console.log('a rotation of both keys, one trace for each tick that made a step');
for (const traceId of await rotateBoth(scene, 'speech'))
  console.log(`${treeOf(collector.spans, traceId, 'speech')}\n`);
for (const { name, value, sum, unit, attributes } of collector.points())
  console.log(
    `${name} ${JSON.stringify(attributes)} ${value}${sum === undefined ? '' : ` (sum ${sum})`} ${unit}`,
  );
