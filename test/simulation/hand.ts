/** Somebody outside interferes: at any time, and once where it matters most. */
import { DEEDS, type Deed } from './deeds.ts';
import { POLICY_DEEDS } from './policy-deeds.ts';
import type { Scene } from './scene.ts';

const ALL: Readonly<Record<string, Deed>> = { ...DEEDS, ...POLICY_DEEDS };

export function interfere(scene: Scene, fromMs: number, untilMs: number): void {
  const { chance, timeline, verdict, wire } = scene;
  const interfereNow = (): void => {
    const name = Object.keys(ALL)[chance.between(0, Object.keys(ALL).length - 1)];
    const deed = name === undefined ? undefined : ALL[name];
    if (deed === undefined) return;
    const account = scene.pickAccount();
    verdict.note(`by hand: ${name}, ${account.name}`);
    wire.count(`by hand: ${name}`);
    const endsMs = deed(scene, account, untilMs) ?? timeline.now();
    // The role counts for all accounts, a policy for every instance.
    for (const { calls } of scene.judges.values()) calls.troubled(endsMs);
    scene.onDeed();
  };
  for (let deeds = chance.between(1, 2); deeds > 0; deeds -= 1) {
    timeline.at(chance.between(fromMs, untilMs), interfereNow);
  }
  // Once more soon after the rotation came to a phase.
  const worst = chance.pick(['promoting', 'draining', 'regenerating', 'proving']);
  scene.onPhase = (phase) => {
    if (phase !== worst || timeline.now() > untilMs) return;
    scene.onPhase = () => undefined;
    timeline.at(timeline.now() + chance.between(0, 2 * scene.tickMs), interfereNow);
  };
}
