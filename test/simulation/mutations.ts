/**
 * Faults of the machine itself, by name: the source is changed as it is loaded, so what runs is the real code
 * with one thing wrong. Each must be caught; a mutation whose text is no longer there stops the run.
 */
import { registerHooks } from 'node:module';

interface Mutation {
  readonly file: string;
  /** Each text is there exactly once, and becomes the other. */
  readonly changes: readonly (readonly [from: string, to: string])[];
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'drain-skipped': {
    file: 'src/rotation/retire.ts',
    changes: [['if (nowMs <= untilMs && !emergency)', 'if (false)']],
  },
  'fence-ignored': {
    file: 'src/rotation/advance.ts',
    changes: [
      [
        "return typeof now === 'object' && now.etag === etag && isTrusted(lease, ports.clock());",
        'return now !== undefined;',
      ],
    ],
  },
  'lease-ignored': {
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
    file: 'src/exchange/mint.ts',
    changes: [
      ['await ports.ledger.declare(resource, slot, ports.instance, declaredMs);', ''],
      [
        'const issued = await ports.sts.issue(host, key.value);',
        `const issued = await ports.sts.issue(host, key.value);
         await ports.ledger.declare(resource, slot, ports.instance, declaredMs);`,
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
};

/** From now on the file is loaded with the mutation in it. */
export function mutate(name: string): void {
  const mutation = MUTATIONS[name];
  if (mutation === undefined) throw new Error(`no such mutation: ${name}`);
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
      return { ...loaded, source };
    },
  });
}
