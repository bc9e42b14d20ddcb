/** Cases of what a person does by hand: an account or a secret deleted and brought back, a block lifted. */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { deliver } from '../local/local-mode.ts';
import { PAST_TOKENS_SECONDS } from './live-rotation-cases.ts';
import type { Scene } from './live-scene.ts';

/** From when it is back, two ticks of the schedule: the next event or tick heals. */
const HEALED_AFTER_SECONDS = 600;
const HOUR_SECONDS = 3_600;

/** The account goes and comes back with new keys, so that neither its old keys nor their tokens are good. */
export async function accountCreatedAgain(scene: Scene): Promise<string> {
  const { stack, callers } = scene;
  const unavailableBefore = callers.counts.unavailable;
  callers.allow('translator', 'gone');
  await stack.control('DELETE', '/accounts/translator');
  callers.forget('translator');
  await callers.rounds(3);
  await callers.jump(PAST_TOKENS_SECONDS);
  await scene.tick();
  await callers.rounds(3);
  assert.ok(callers.counts.unavailable > unavailableBefore, 'nobody met the account that is gone');

  const { last } = (await stack.control('GET', '/events')) as { last: number };
  const backAtMs = callers.now();
  await stack.control('PUT', '/accounts/translator', {});
  await delivered(scene, last);
  let healedBy = 'event';
  for (; !(await isServed(scene)); healedBy = 'tick') {
    assert.ok(callers.now() - backAtMs < HEALED_AFTER_SECONDS * 1000, 'not healed in the stated time');
    await callers.jump(60);
    await scene.tick();
  }
  const seconds = Math.round((callers.now() - backAtMs) / 1000);
  callers.forget('translator');
  callers.allow('translator', 'nothing');
  await callers.rounds(12);
  return `back in service by the ${healedBy}, ${seconds} virtual s after it was there again`;
}

/** With a new token of the account itself, used there. */
async function isServed({ stack, callers }: Scene): Promise<boolean> {
  const account = stack.description.resources.find(({ name }) => name === 'translator');
  const host = account?.endpoint ?? '';
  const token = await stack.callerToken('translations');
  for (const broker of stack.description.instances) {
    const { status, body } = await stack.exchange(token, host, {}, broker);
    if (status !== 200 || !(await callers.isGood('translator', host, String(body['access_token']))))
      return false;
  }
  return true;
}

/** Until Event Grid has had an answer for all that was sent after this entry. */
async function delivered({ stack }: Scene, after: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { events } = (await stack.control('GET', `/events?after=${after}`)) as {
      events: { attempts: number; status: number }[];
    };
    if (events.length > 0 && events.every(({ attempts, status }) => attempts > 0 && status > 0)) return;
    await wait(50);
  }
  assert.fail('an event is not delivered');
}

/** Whoever asks an instance that holds a token goes on; where one must be bought, 503 until it is recovered. */
export async function secretDeleted(scene: Scene): Promise<string> {
  const { stack, callers } = scene;
  const secret = stack.description.resources.find(({ name }) => name === 'speech')?.secret ?? '';
  // Every instance buys anew, and has the token for minutes.
  await callers.jump(PAST_TOKENS_SECONDS);
  await callers.rounds(15);
  await stack.control('PUT', `/secrets/${secret}`, { deleted: true });
  const before = callers.counts.exchanges;
  await callers.rounds(6);
  const fromCache = callers.counts.exchanges - before;

  callers.allow('speech', 'outage');
  const unavailableBefore = callers.counts.unavailable;
  await callers.jump(PAST_TOKENS_SECONDS);
  await callers.rounds(1);
  await scene.tick();
  assert.ok(callers.counts.unavailable > unavailableBefore, 'nobody met the secret that is gone');
  await stack.control('PUT', `/secrets/${secret}`, { deleted: false });
  callers.allow('speech', 'nothing');
  await callers.rounds(8);
  await callers.jump(HEALED_AFTER_SECONDS);
  await scene.tick();
  await callers.rounds(4);
  return `${fromCache} exchanges from the cache while it was gone; 503 only without a cached token`;
}

/** The event of a block that was lifted comes again: a day and more later, and when a dead letter is replayed by hand. */
export async function blockReplayed(scene: Scene): Promise<string> {
  const { stack, callers } = scene;
  const { entra, callers: known, instances } = stack.description;
  const { clientId = '' } = known.find(({ name }) => name === 'captions') ?? {};
  const scope = { kind: 'client', tenantId: entra.tenantId, clientId };
  const event = {
    id: crypto.randomUUID(),
    eventType: 'AzureAiTokenBroker.RevocationRequested',
    subject: '',
    topic: '',
    eventTime: new Date(callers.now()).toISOString(),
    dataVersion: '1',
    data: { scope, block: true, reason: 'a case' },
  };
  const send = async () =>
    assert.equal(await deliver(scene.chance.pick([instances[0] ?? '', ...instances]), [event]), 202);
  callers.allow('speech', 'block');
  await send();
  const refusedBefore = callers.counts.refused;
  await callers.rounds(2);
  assert.ok(callers.counts.refused > refusedBefore, 'nobody met the block');
  const lifted = await fetch(`${instances[0]}/operator/revocations/lift`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await stack.callerToken('operator')}` },
    body: JSON.stringify({ scope, reason: 'a case' }),
  });
  assert.equal(((await lifted.json()) as { lifted: boolean }).lifted, true);
  // Past the cut-off, with tokens that are dated after it.
  await callers.jump(300);
  callers.signInAnew();
  await callers.rounds(1);
  callers.allow('speech', 'nothing');
  await callers.rounds(3);
  for (const hours of [31, 29 * 24 - 31]) {
    await callers.jump(hours * HOUR_SECONDS);
    await scene.tick();
    await callers.rounds(2);
    await send();
    await callers.rounds(6);
  }
  return 'delivered again after 31 h and after 29 days: not blocked';
}
