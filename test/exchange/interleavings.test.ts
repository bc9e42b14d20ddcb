/** Exchanges, revocations, emergencies and time, in orders that nobody would think of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { Caller, Scope } from '../../src/ports.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { RESEARCHERS } from '../policy/sample.ts';
import { aCaller } from './caller.ts';
import { createWorld } from './world.ts';

const captions = aCaller({ appRoles: ['Token.Exchange'] });
const ada = aCaller({
  kind: 'user',
  objectId: '00000000-0000-4000-8000-0000000000d1',
  uti: 'uti-ada',
  scopes: ['Token.Exchange'],
  groups: [RESEARCHERS],
});
const asked: readonly { caller: Caller; target: string; grant: string }[] = [
  { caller: captions, target: 'speech', grant: 'captions' },
  { caller: ada, target: 'chat', grant: 'people' },
];
const scopes: readonly Scope[] = [
  { kind: 'tenant', tenantId: captions.tenantId },
  { kind: 'user', tenantId: ada.tenantId, objectId: ada.objectId },
  { kind: 'client', tenantId: captions.tenantId, clientId: captions.clientId },
  { kind: 'token', tenantId: captions.tenantId, uti: captions.uti },
  { kind: 'resource', name: 'speech' },
  { kind: 'grant', name: 'people' },
];

type Step =
  | { do: 'ask'; who: number }
  | { do: 'revoke'; scope: number; blocked: boolean }
  | { do: 'emergency' }
  | { do: 'wait'; ms: number }
  | { do: 'run'; turns: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), who: fc.nat({ max: 1 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('revoke' as const),
      scope: fc.nat({ max: scopes.length - 1 }),
      blocked: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('emergency' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 300_000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('run' as const), turns: fc.nat({ max: 8 }) }) },
);

test('in flight or after: what a revocation ended is never handed out again, and no token goes without its record', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(fc.nat({ max: 4 })),
      async (steps, delays) => {
        const world = createWorld();
        let delay = 0;
        const wait = async (): Promise<void> => {
          delay += 1;
          for (let left = delays[delay % Math.max(delays.length, 1)] ?? 1; left > 0; left -= 1) await turn();
        };
        for (const port of ['version', 'issueToken', 'audit', 'vault', 'declare'] as const)
          world.hold.set(port, wait);

        let epoch = 0;
        const ended = new Set<string>();
        const running: Promise<void>[] = [];
        const exchange = async ({ caller, target, grant }: (typeof asked)[number]): Promise<void> => {
          const before = { ended: new Set(ended), epoch };
          const answer = await world.ask(caller, target).catch((error: unknown) => {
            assert.ok(error instanceof UpstreamFailure, String(error));
            return undefined;
          });
          if (answer === undefined) return;
          if (!('token' in answer)) {
            assert.equal(answer.kind, 'revoked', JSON.stringify(answer));
            return;
          }
          const applies = [
            'tenant',
            `resource ${target}`,
            `grant ${grant}`,
            ...(caller === ada ? ['user', 'client'] : ['token', 'client']),
          ];
          for (const scope of applies)
            assert.ok(!before.ended.has(scope), `${target} after ${scope} was revoked`);
          if (answer.kind === 'sts') assert.ok(answer.epoch >= before.epoch, 'a token of a withdrawn key');
          assert.ok(answer.expiresAtMs - world.nowMs <= 90 * 60_000);
          const fingerprint = answer.token.sha256.slice(0, 16);
          assert.ok(
            world.audit.some(
              ({ outcome, token, objectId }) =>
                outcome === 'granted' && token === fingerprint && objectId === caller.objectId,
            ),
            'no record',
          );
        };

        for (const one of steps) {
          if (one.do === 'ask') {
            const what = asked[one.who];
            assert.ok(what);
            running.push(exchange(what));
          } else if (one.do === 'revoke') {
            const scope = scopes[one.scope];
            assert.ok(scope);
            world.revoke(scope, { blocked: one.blocked });
            const name = 'name' in scope ? `${scope.kind} ${scope.name}` : scope.kind;
            ended.add(name);
          } else if (one.do === 'emergency') {
            epoch += 1;
            world.key = {
              slot: epoch % 2 ? 'Key2' : 'Key1',
              version: `v${epoch + 1}`,
              value: `key-${epoch}`,
            };
            world.liveKeys = new Set([`key-${epoch}`]);
            world.setSlots('speech', { generation: epoch, retiring: undefined, epoch });
          } else if (one.do === 'wait') world.nowMs += one.ms;
          else for (let left = one.turns; left > 0; left -= 1) await turn();
        }
        await Promise.all(running);
        for (const record of world.audit.filter(({ outcome }) => outcome === 'withheld'))
          assert.ok(
            world.audit.some(({ outcome, token }) => outcome === 'granted' && token === record.token),
          );
      },
    ),
    { numRuns: 300 },
  );
});
