/** What a publisher may do to the policy, at any moment of a rotation. */
import type { Resource } from '../../src/policy/schema.ts';
import { type Deed, later } from './deeds.ts';
import { MAX_ROLLOUT_MS } from './policies.ts';
import { MINUTE_MS, type Scene } from './scene.ts';

export const POLICY_DEEDS: Readonly<Record<string, Deed>> = {
  'resource renamed': (scene, account) =>
    changed(scene, account.id, (resource) => ({ ...resource, name: otherName(resource.name) })),
  'secret renamed': (scene, account) =>
    changed(scene, account.id, (resource) => ({ ...resource, secret: otherName(resource.secret ?? '') })),
  'mode changed': (scene, account) =>
    changed(scene, account.id, (resource) => {
      const { rotation } = resource;
      if (rotation === undefined) return resource;
      return {
        ...resource,
        rotation: { ...rotation, mode: rotation.mode === 'full' ? 'alternating' : 'full' },
      };
    }),
  'period changed': (scene, account) =>
    changed(scene, account.id, (resource) => {
      const { rotation } = resource;
      if (rotation === undefined) return resource;
      const period = scene.chance.is(0.5) ? rotation.period * 2 : Math.max(MINUTE_MS, rotation.period / 2);
      return { ...resource, rotation: { ...rotation, period } };
    }),
  'resource removed': (scene, account, untilMs) => {
    const { policies, timeline, chance, verdict } = scene;
    const removed = policies.of(account);
    const { resources } = policies.inForce;
    // A policy names at least one resource.
    if (removed === undefined || resources.length < 2) return undefined;
    policies.change(resources.filter((one) => one !== removed));
    const againMs = later(timeline, chance.between(MINUTE_MS, 40 * MINUTE_MS), untilMs, () => {
      verdict.note(`by hand: ${account.name} is in the policy again`);
      policies.change([...policies.inForce.resources, removed]);
    });
    return againMs + MAX_ROLLOUT_MS;
  },
};

function changed(
  { policies, timeline }: Scene,
  accountId: string,
  change: (resource: Resource) => Resource,
): number {
  policies.change(policies.inForce.resources.map((one) => (one.accountId === accountId ? change(one) : one)));
  return timeline.now() + MAX_ROLLOUT_MS;
}

function otherName(name: string): string {
  return name.endsWith('-b') ? name.slice(0, -2) : `${name}-b`;
}
