/** Cases of a rotation that somebody or something meddles with: a resource renamed, a vault whose reads lag. */
import assert from 'node:assert/strict';
import type { AccountName } from './live-callers.ts';
import { ROTATOR, restartInstance, type Scene } from './live-scene.ts';
import { policyHand } from './policy-hand.ts';

const STS_LIFE_MS = 600_000;
/** Longer than a token lives: whoever exchanges next buys anew, at every instance. */
export const PAST_TOKENS_SECONDS = 660;
const MAX_TICKS = 80;
/**
 * An exchange waits for a version that its row names, and is answered 503 after eight seconds: a longer lag than
 * about seven fails exchanges.
 */
const VAULT_LAG_MS = 6_000;

/** Ticks at any of the instances, and half a minute between them, until the account is in this phase; undefined: steady. */
async function tickUntil(scene: Scene, account: AccountName, wanted: string | undefined): Promise<void> {
  const { callers, rotation, chance } = scene;
  for (let ticks = 0; ticks < MAX_TICKS; ticks += 1) {
    await scene.tick();
    if ((await rotation.row(account))?.state.work?.phase.name === wanted) return;
    await callers.rounds(1);
    await callers.jump(chance.between(20, 40));
  }
  assert.fail(`${account} is never ${wanted ?? 'steady'}`);
}

/** Retires the slot that tokens are bought with. @returns the fingerprint of its key */
async function beginRetiring(scene: Scene, account: AccountName): Promise<string> {
  await tickUntil(scene, account, undefined);
  // Every instance holds tokens of the slot that goes, bought now.
  await scene.callers.jump(PAST_TOKENS_SECONDS);
  await scene.callers.rounds(8);
  const active = (await scene.rotation.row(account))?.state.active;
  const { requests } = await scene.rotation.requests();
  const bought = requests.findLast(
    ({ operation, resource, status }) => operation === 'issueToken' && resource === account && status === 200,
  );
  assert.ok(await scene.rotation.begin(account, active, () => scene.callers.jump(40)));
  return bought?.keyFingerprint ?? assert.fail(`nobody has bought a token of ${account}`);
}

/**
 * The resource gets another name in the policy while its slot is drained, and the instances are started again, the
 * rotator first or last.
 */
export async function renameDuringDrain(scene: Scene): Promise<string> {
  const { stack, callers } = scene;
  const retired = await beginRetiring(scene, 'speech');
  await tickUntil(scene, 'speech', 'draining');

  const renamed = (name: string) => (name === 'speech' ? 'speech-renamed' : name);
  const hand = await policyHand(stack);
  await hand.change(({ resources, grants }) => {
    for (const resource of resources) resource['name'] = renamed(String(resource['name']));
    for (const grant of grants) grant.resources = grant.resources.map(renamed);
  });

  for (const index of scene.chance.is(0.5) ? [0, 1, 2, ROTATOR] : [ROTATOR, 2, 1, 0]) {
    await restartInstance(scene, index);
    await callers.rounds(3);
    await callers.jump(scene.chance.between(20, 40));
    for (const instance of stack.description.instances) await scene.tick(instance);
  }
  await tickUntil(scene, 'speech', undefined);
  return `regenerated ${await spareOf(scene, 'speech', retired)} s after the last token of its key`;
}

/** From the end of the last token that was bought with the retired key to its regeneration, in seconds. */
async function spareOf({ rotation }: Scene, account: AccountName, retired: string): Promise<number> {
  const { requests } = await rotation.requests();
  const mine = requests.filter(({ resource, status }) => resource === account && status === 200);
  const regenerated = mine.filter(({ operation }) => operation === 'regenerateKey');
  assert.equal(regenerated.length, 1, 'one slot was retired');
  const bought = mine.filter(
    ({ operation, keyFingerprint }) => operation === 'issueToken' && keyFingerprint === retired,
  );
  const lastEndMs = Date.parse(bought.at(-1)?.at ?? '') + STS_LIFE_MS;
  const spareMs = Date.parse(regenerated[0]?.at ?? '') - lastEndMs;
  assert.ok(spareMs >= 0, `a key was regenerated ${-spareMs} ms before the end of a token bought with it`);
  return Math.round(spareMs / 1000);
}

/**
 * The driver has read its own write back, and all tokens have just ended: everybody buys with the key that was
 * promoted a moment ago, from replicas of the vault that do not have it yet.
 */
export async function staleAfterPromotion(scene: Scene): Promise<string> {
  const { stack, callers, rotation } = scene;
  await beginRetiring(scene, 'translator');
  await tickUntil(scene, 'translator', 'draining');
  const { last } = await rotation.requests();
  await stack.control('PUT', '/faults/keyvault', { mode: 'stale', lagMs: VAULT_LAG_MS });
  await callers.jump(PAST_TOKENS_SECONDS);
  await callers.rounds(4);
  const { requests } = await rotation.requests(last);
  const missed = requests.filter(({ operation, status }) => operation === 'getSecret' && status === 404);
  assert.ok(missed.length > 0, 'nobody met the lag');
  await stack.control('DELETE', '/faults');
  await tickUntil(scene, 'translator', undefined);
  return `reads ${VAULT_LAG_MS / 1000} s late; ${missed.length} reads of the new version were repeated`;
}
