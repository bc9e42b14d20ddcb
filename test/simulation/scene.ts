/** What one schedule is made of, drawn from its seed. */
import { inWords } from '../../src/rotation/advance.ts';
import type { PublishedRow, StoredRow } from '../../src/rotation/state.ts';
import type { Account } from './account.ts';
import type { Assumptions } from './assumptions.ts';
import type { Way } from './azure.ts';
import { Cloud } from './cloud.ts';
import { CallJudge } from './judge-calls.ts';
import { judgeDemands } from './judge-demands.ts';
import { KeyJudge } from './judge-keys.ts';
import { drawResource, Policies } from './policies.ts';
import { createProcess, type Process } from './process.ts';
import { type Chance, createChance } from './random.ts';
import { stateOver } from './tables.ts';
import { createTimeline, type Timeline } from './timeline.ts';
import { createVerdict, START_MS, type Verdict } from './verdict.ts';
import { createWire, type Wire } from './wire.ts';

export { START_MS };
export const MINUTE_MS = 60_000;

export interface Scene {
  readonly chance: Chance;
  readonly timeline: Timeline;
  readonly cloud: Cloud;
  readonly wire: Wire;
  readonly verdict: Verdict;
  readonly policies: Policies;
  /** The one that hands, emergencies and callers choose most often. */
  readonly first: Account;
  readonly judges: ReadonlyMap<Account, { readonly keys: KeyJudge; readonly calls: CallJudge }>;
  /** From one occurrence of the timer to the next: the schedule is a setting. */
  readonly tickMs: number;
  /** One slow caller that buys only where that is most dangerous: at a promotion, and under a hand's deeds. */
  readonly isEager: boolean;
  /** No fault, no crash and no hand from the beginning to the end: then no exchange may fail at all. */
  readonly isCalm: boolean;
  newProcess(kind: Process['kind'], isSlow?: boolean): Process;
  way(process: Process): Way;
  onRow(row: StoredRow): void;
  onPublished(row: PublishedRow): void;
  onBump(): void;
  judgeOf(account: Account): { readonly keys: KeyJudge; readonly calls: CallJudge };
  /** The first account, more often than not. */
  pickAccount(): Account;
  /** Called when the next tick is to promote a key of the first account. */
  onPromotion: (nextTickMs: number) => void;
  /** Called when the first account's row is written. */
  onPhase: (phase: string) => void;
  /** Called when a hand from outside has changed something. */
  onDeed: () => void;
}

const NAMES = ['speech', 'vision', 'translator', 'language'] as const;
const VAULT_LAG_MS = 15_000;

export function createScene(
  seed: number,
  trace: ((line: string) => void) | undefined,
  { maxLeasedPauseMs, maxClockOffMs }: Assumptions,
): Scene {
  const chance = createChance(seed);
  const timeline = createTimeline(START_MS);
  const verdict = createVerdict(timeline, trace);
  const cloud = new Cloud(chance, NAMES.slice(0, chance.pick([2, 2, 2, 3, 4])), START_MS - 86_400_000);
  const wire = createWire(chance, timeline, verdict.note, maxLeasedPauseMs);
  const isCalm = chance.is(0.15);
  const isEager = !isCalm && chance.is(0.4);
  const tickMs = isEager ? 20_000 : chance.is(0.7) ? 300_000 : chance.pick([120_000, 60_000, 20_000]);
  const policies = new Policies(
    chance,
    timeline,
    cloud.accounts.map((account) => drawResource(account, chance, tickMs)),
  );
  const [first] = cloud.accounts;
  if (first === undefined) throw new Error('a scene has an account');
  const judges = new Map(
    cloud.accounts.map((account) => {
      const calls = new CallJudge(account, timeline, verdict);
      const row = () => cloud.row(account.key);
      const hasLiveToken = calls.hasLiveToken.bind(calls);
      const keys = new KeyJudge({ account, cloud, policies, timeline, verdict, row, hasLiveToken });
      return [account, { keys, calls }];
    }),
  );
  const onDemand = judgeDemands(cloud.demands, verdict);
  let processes = 0;

  const scene: Scene = {
    chance,
    timeline,
    cloud,
    wire,
    verdict,
    policies,
    first,
    judges,
    tickMs,
    isEager,
    isCalm,
    judgeOf: (account) => {
      const found = judges.get(account);
      if (found === undefined) throw new Error(`nobody judges ${account.name}`);
      return found;
    },
    newProcess: (kind, isSlow = false) => {
      processes += 1;
      const options = { chance, timeline, count: wire.count, maxClockOffMs };
      return createProcess(options, kind, `${kind}-${processes}`, isSlow);
    },
    way: (process) => ({
      cloud,
      wire,
      timeline,
      process,
      onChange: (driver, change, isLate) => {
        const account =
          change.kind === 'regenerate'
            ? change.account
            : cloud.accounts.find(({ name }) => change.secret.startsWith(name));
        if (account === undefined) throw new Error('a change belongs to an account');
        const what = change.kind === 'regenerate' ? change.slot : `secret ${change.secret}`;
        const late = isLate ? ', late: it had given up' : '';
        verdict.note(`${driver.name} does ${change.kind} ${what} of ${account.name}${late}`);
        scene.judgeOf(account).keys.onChange(driver, change, isLate);
      },
      onIssued: (token, key, expiresAtMs) => {
        scene.judgeOf(key.account).calls.onIssued(token, key, expiresAtMs);
        verdict.note(`${process.name} buys a token with ${key.slot} of ${key.account.name}`);
      },
    }),
    onRow: (row) => {
      const account = cloud.accounts.find(({ key }) => key === row.account);
      if (account === undefined) return;
      const { state } = row;
      const { work } = state;
      const lease = row.lease.holder === '' ? 'no driver' : `driver ${row.lease.holder}`;
      const emergency = work?.emergency ? ' in an emergency' : '';
      verdict.note(
        `row of ${account.name}: ${inWords(state)}${emergency}, generation ${state.generation}, ${lease}`,
      );
      const { keys, calls } = scene.judgeOf(account);
      onDemand(row);
      keys.onRow(row);
      calls.onRow(state);
      if (account !== first) return;
      wire.phase = work?.phase.name ?? (state.generation === 0 ? 'not adopted' : 'steady');
      scene.onPhase(wire.phase);
      const proof = work?.phase.name === 'promoting' ? work.phase.proof : undefined;
      if (proof === undefined || proof.lastMs - proof.firstMs < MINUTE_MS) return;
      scene.onPromotion(timeline.now() + tickMs);
    },
    onPublished: (row) => {
      const account = cloud.accounts.find(({ key }) => key === row.account);
      if (account === undefined) return;
      const { generation, retiring, epoch } = row.state;
      const nothing = retiring === undefined ? '' : `, nothing is bought with ${retiring}`;
      verdict.note(`published for ${account.name}: generation ${generation}, epoch ${epoch}${nothing}`);
      scene.judgeOf(account).calls.onPublished(row.state, VAULT_LAG_MS);
    },
    onBump: () => {
      for (const { calls } of judges.values()) calls.onBump();
    },
    pickAccount: () =>
      chance.is(0.7) ? first : (cloud.accounts[chance.between(0, cloud.accounts.length - 1)] ?? first),
    onPromotion: () => undefined,
    onPhase: () => undefined,
    onDeed: () => undefined,
  };
  policies.tellAll = async () => {
    const publisher = scene.newProcess('exchange');
    if (!isCalm && chance.is(0.15)) {
      wire.count('publisher dies');
      return false;
    }
    for (;;) {
      try {
        await stateOver(scene.way(publisher), scene.onBump).bump();
        return true;
      } catch (error) {
        verdict.outageOnly(error);
        await timeline.sleep(5_000);
      }
    }
  };
  return scene;
}
