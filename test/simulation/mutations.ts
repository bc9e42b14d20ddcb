/**
 * Faults of the machine itself, by name: the source is changed as it is loaded, so what runs is the real code
 * with one thing wrong. Each must be caught; a mutation whose text is no longer there stops the run.
 */
import { registerHooks } from 'node:module';

interface Mutation {
  readonly file: string;
  /** The test file that catches it; absent: the simulation does, within MAX_SCHEDULES. */
  readonly caughtBy?: string;
  /** Each text is there exactly once, and becomes the other. */
  readonly changes: readonly (readonly [from: string, to: string])[];
}

/** Of the simulation, to catch a mutation that it is to catch. */
export const MAX_SCHEDULES = 500;

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'group-not-asked': {
    caughtBy: 'test/exchange/explain.test.ts',
    file: 'src/policy/match.ts',
    changes: [['group: (id, caller) => caller.groups.includes(id)', 'group: () => true']],
  },
  'one-condition-is-enough': {
    caughtBy: 'test/exchange/explain.test.ts',
    file: 'src/policy/match.ts',
    changes: [
      [
        'rule.every(({ holds, wanted }) => holds(wanted, caller, tenantName))',
        'rule.some(({ holds, wanted }) => holds(wanted, caller, tenantName))',
      ],
    ],
  },
  // The next three are found by the hand that changes the policy, and by nothing else in the simulation.
  'policy-kept-from-the-start': {
    file: 'src/exchange/freshness.ts',
    changes: [
      ['rules: await rulesOf(snapshot.policy)', 'rules: latest?.rules ?? (await rulesOf(snapshot.policy))'],
    ],
  },
  'refused-under-the-policy-before': {
    file: 'src/exchange/exchange.ts',
    changes: [['if (isUnder(rules, await ports.freshness.fresh())) return', 'return']],
  },
  'granted-under-the-policy-before': {
    file: 'src/exchange/hand-out.ts',
    changes: [['if (!isUnder(rules, seen)) {', 'if (seen === undefined) {']],
  },
  'drain-skipped': {
    file: 'src/rotation/retire.ts',
    changes: [['if (nowMs <= untilMs && !emergency)', 'if (false)']],
  },
  'fence-ignored': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/advance.ts',
    changes: [
      [
        "return typeof now === 'object' && now.etag === etag && isTrusted(lease, ports.clock());",
        'return now !== undefined;',
      ],
    ],
  },
  'lease-ignored': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/lease.ts',
    changes: [
      [
        "return lease.holder !== '' && Math.abs(nowMs - lease.takenAtMs) < RESPECTED_MS;",
        'return nowMs < 0;',
      ],
    ],
  },
  'intent-not-journalled': {
    file: 'src/rotation/retire.ts',
    changes: [
      [
        "return note(enter(state, { name: 'regenerating', before: keys[slot] }, nowMs), why);",
        "return { do: 'regenerate', slot, why };",
      ],
    ],
  },
  'regenerated-blindly': {
    file: 'src/rotation/retire.ts',
    changes: [['return keys[slot] === phase.before', 'return work.attempts < 3']],
  },
  'ledger-after-minting': {
    caughtBy: 'test/exchange/mint.test.ts',
    file: 'src/exchange/mint.ts',
    changes: [
      ['await ports.ledger.declare(account, slot, ports.instance, declaredMs);', ''],
      [
        'const issued = await ports.sts.issue(host, key.value);',
        `const issued = await ports.sts.issue(host, key.value);
         await ports.ledger.declare(account, slot, ports.instance, declaredMs);`,
      ],
    ],
  },
  'promotion-before-proof': {
    file: 'src/rotation/retire.ts',
    changes: [
      [
        'if (proof?.fingerprint !== fingerprint) return false;',
        'if (proof?.fingerprint !== fingerprint) return true;',
      ],
    ],
  },
  'consumers-forgotten': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/retire.ts',
    changes: [['work.phaseAtMs + rules.consumersMs,', '']],
  },
  'dead-versions-left': {
    file: 'src/rotation/effects.ts',
    changes: [['await ports.vault.disable(target.secret, version);', '']],
  },
  'heal-without-proof': {
    file: 'src/rotation/effects.ts',
    changes: [['if (slots.length === 1) return slots[0];', 'return slots[0];']],
  },
  'suspicion-forgotten': {
    caughtBy: 'test/rotation/retire.test.ts',
    file: 'src/rotation/retire.ts',
    changes: [['    state.suspectUntilMs,', '']],
  },
  'current-slot-retiring': {
    file: 'src/rotation/progress.ts',
    changes: [['state.retiring === active ? undefined : state.retiring', 'state.retiring']],
  },
  'drift-ignored': {
    file: 'src/rotation/retire.ts',
    changes: [
      [
        "if ('heal' in found) return heal(state, found, nowMs);",
        "if ('heal' in found) return { do: 'wait', why: '' };",
      ],
    ],
  },
  'publish-skipped': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/advance.ts',
    changes: [['if (isShown(before, after)) await publish(ports, row.account);', '']],
  },
  'bump-skipped': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/publish.ts',
    changes: [['return head.bump();', 'return;']],
  },
  'drain-without-publish': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/observe.ts',
    changes: [['await publish(ports, account);', '']],
  },
  'publish-left-to-chance': {
    caughtBy: 'test/rotation/marks.test.ts',
    file: 'src/rotation/rotate.ts',
    changes: [
      [
        'if (published === undefined || !isSame(published, shownRow(row, published)))',
        'if (ports.clock() < 0)',
      ],
    ],
  },
  'older-copy-published': {
    caughtBy: 'test/rotation/marks.test.ts',
    file: 'src/rotation/publish.ts',
    changes: [
      ['for (let round = 0;', 'const row = await store.read(account);\n  for (let round = 0;'],
      ['    const row = await store.read(account);\n', ''],
    ],
  },
  'mark-overwritten': {
    caughtBy: 'test/rotation/marks.test.ts',
    file: 'src/rotation/publish.ts',
    changes: [['there?.marks ?? takenMarks(row.state)', 'takenMarks(row.state)']],
  },
  'mark-lifted-before-the-promotion': {
    file: 'src/rotation/publish.ts',
    changes: [['...markedSlots(state, marks), ...waiting', '...markedSlots(state, marks)']],
  },
  'mark-never-cleared': {
    file: 'src/rotation/ask.ts',
    changes: [
      [
        'const marksTaken = { ...state.marksTaken, ...taken };',
        'const { marksTaken } = { ...state, taken };',
      ],
    ],
  },
  'mark-left-to-its-demand': {
    caughtBy: 'test/rotation/marks.test.ts',
    file: 'src/rotation/rotate.ts',
    changes: [['isMarkable ? takeUp(ports, target, row, published.marks, driver) : row', 'row']],
  },
  'demand-begun-twice': {
    file: 'src/rotation/ask.ts',
    changes: [['demand === undefined || !state.demands.includes(id)', 'true']],
  },
  'lease-of-one-app-ignored': {
    caughtBy: 'test/rotation/move.test.ts',
    file: 'src/rotation/row.ts',
    changes: [['if (isHeld(row.lease, nowMs)) throw busy(target);', '']],
  },
  'moved-row-not-told': {
    file: 'src/rotation/row.ts',
    changes: [
      [
        "const wanted = { ...row, lease: release(take(row.lease, '', nowMs)), moved: true };",
        'const wanted = row;',
      ],
    ],
  },
  'handed-back-row-driven': {
    caughtBy: 'test/rotation/move.test.ts',
    file: 'src/rotation/row.ts',
    changes: [
      [
        'if (there !== undefined && !isHandedBack(there.lease)) return there;',
        'if (there !== undefined) return there;',
      ],
    ],
  },
  'clock-allowance-dropped': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/retire.ts',
    changes: [['seen.tokensLiveUntilMs + CLOCKS_DIFFER_MS,', 'seen.tokensLiveUntilMs,']],
  },
  'etag-not-compared': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/advance.ts',
    changes: [['now.etag === etag', 'now.etag !== undefined']],
  },
  'lease-trusted-for-ever': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/advance.ts',
    changes: [[' && isTrusted(lease, ports.clock());', ';']],
  },
  'live-versions-disabled': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/effects.ts',
    changes: [['if (alive.includes(fingerprint(value))) continue;', '']],
  },
  'generation-not-compared': {
    caughtBy: 'test/exchange/mint.test.ts',
    file: 'src/exchange/mint.ts',
    changes: [['|| after?.generation !== before?.generation) continue;', ') continue;']],
  },
  'not-looked-at-again': {
    caughtBy: 'test/exchange/mint.test.ts',
    file: 'src/exchange/mint.ts',
    changes: [['if (after?.retiring === slot || after?.generation !== before?.generation) continue;', '']],
  },
  'unknown-regenerate-forgotten': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/begin.ts',
    changes: [
      [
        'return isUnknown ? Math.min(notBeforeMs, nowMs + UNKNOWN_OUTCOME_MS) : 0;',
        'return isUnknown ? 0 : 0;',
      ],
    ],
  },
  'unknown-regenerate-not-waited-for': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/retry.ts',
    changes: [["step.do === 'regenerate' ? UNKNOWN_OUTCOME_MS : 0", '0']],
  },
  'one-success-is-a-proof': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/retire.ts',
    changes: [['proof.lastMs - proof.firstMs >= PROOF_SPAN_MS', 'true']],
  },
  'one-call-is-enough': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/effects.ts',
    changes: [['const CALLS_IN_A_ROW = 3;', 'const CALLS_IN_A_ROW = 1;']],
  },
  'proof-of-another-key': {
    caughtBy: 'test/rotation/guards.test.ts',
    file: 'src/rotation/retire.ts',
    changes: [
      ['if (proof?.fingerprint !== fingerprint) return false;', 'if (proof === undefined) return false;'],
    ],
  },
  'epoch-ignored-by-cache': {
    caughtBy: 'test/exchange/tokens.test.ts',
    file: 'src/exchange/tokens.ts',
    changes: [
      [
        'const fromBurntKey = held.slot !== undefined && held.epoch !== (slots?.epoch ?? 0);',
        'const fromBurntKey = false;',
      ],
    ],
  },
  'epoch-ignored-at-the-last-look': {
    file: 'src/exchange/hand-out.ts',
    changes: [
      [
        'if (held.slot !== undefined && held.epoch !== (slotsOf(seen.slots, resource)?.epoch ?? 0))',
        'if (false)',
      ],
    ],
  },
  'epoch-not-raised-at-promotion': {
    file: 'src/rotation/progress.ts',
    changes: [['emergency ? state.epoch + 1 : state.epoch', 'state.epoch']],
  },
  'current-version-instead-of-the-row': {
    caughtBy: 'test/exchange/mint.test.ts',
    file: 'src/exchange/mint.ts',
    changes: [[': vault.read(named.secret, named.version));', ': vault.current(named.secret));']],
  },
  'slow-purchase-kept': {
    caughtBy: 'test/exchange/mint.test.ts',
    file: 'src/exchange/mint.ts',
    changes: [['if (ports.clock() + STS_LIFE_MS > declaredMs) continue;', '']],
  },
  'read-back-skipped': {
    caughtBy: 'test/rotation/retirement.test.ts',
    file: 'src/rotation/effects.ts',
    changes: [["if (typeof current === 'string' || current.version !== version) {", 'if (false) {']],
  },
  'other-slots-ledger': {
    file: 'src/rotation/observe.ts',
    changes: [['state.work.slot) : 0', "state.work.slot === 'Key1' ? 'Key2' : 'Key1') : 0"]],
  },
};

/** From now on the file is loaded with the mutation in it. @returns whether it has been */
export function mutate(name: string): () => boolean {
  const mutation = MUTATIONS[name];
  if (mutation === undefined) throw new Error(`no such mutation: ${name}`);
  let isLoaded = false;
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${mutation.file}`)) return loaded;
      let source = String(loaded.source);
      for (const [from, to] of mutation.changes) {
        if (source.split(from).length !== 2) {
          throw new Error(`mutation ${name}: its text is not in ${mutation.file} exactly once`);
        }
        source = source.replace(from, () => to);
      }
      isLoaded = true;
      return { ...loaded, source };
    },
  });
  return () => isLoaded;
}
