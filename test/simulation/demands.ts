/**
 * What an operator asks of an issuer: a row in table `demands`, in an emergency a mark, and a message that may be lost,
 * doubled, late and out of order. Whichever rotator gets it carries the demand out; the timer looks after the rows too.
 */
import type { EmergencyMark } from '../../src/ports.ts';
import { sha256 } from '../../src/secret.ts';
import type { Key } from './account.ts';
import type { Way } from './azure.ts';
import type { DemandRow } from './judge-demands.ts';
import { MINUTE_MS, type Scene } from './scene.ts';

/** Carries out a demand with some rotator. False: there is none yet that knows of demands. */
export type CarryOut = (id: string) => Promise<boolean>;

const DELAYS_MS = [0, 1_000, 3_000, 30_000, 10 * MINUTE_MS] as const;
/** A message that was taken so often without success is put aside. */
const MAX_TAKEN = 5;
const INVISIBLE_MS = 10_000;

/** An operator asks at this time, and an issuer answers when the demand is stored and, in an emergency, marked. */
export function demandAt(
  scene: Scene,
  carryOut: CarryOut,
  ms: number,
  demand: Omit<DemandRow, 'id' | 'state'>,
): void {
  const { timeline, verdict, wire, cloud } = scene;
  const { account, slot, emergency } = demand;
  timeline.at(ms, () => {
    cloud.demandsAsked += 1;
    const id = `demand-${cloud.demandsAsked}`;
    const kind = emergency ? 'demand in an emergency' : 'demand';
    verdict.note(`an operator's ${id} for ${slot ?? 'both keys'} of ${account.name}, a ${kind}`);
    wire.count(kind);
    if (emergency) scene.judgeOf(account).keys.onEmergency(slot);
    void ask(scene, carryOut, { ...demand, id, state: 'waiting' });
  });
}

async function ask(scene: Scene, carryOut: CarryOut, row: DemandRow): Promise<void> {
  const { timeline, wire, cloud } = scene;
  const process = scene.newProcess('exchange');
  const way = scene.way(process);
  // The demand may be carried out before its mark is set. Then the mark is of a new key, about which nobody has asked.
  // The same is true while the rotation does not know yet that its last request has made that key.
  const phase = cloud.row(row.account.key)?.state.work?.phase;
  const isOfNow = ({ value }: Key): boolean =>
    phase?.name !== 'regenerating' || phase.before === sha256(value).slice(0, 16);
  const leaked = Object.values(row.account.current).filter(isOfNow);
  const store = () =>
    wire.call(process, 'tables', 'insert demand', () => cloud.demands.set(row.id, row), true);
  await untilDone(scene, store);
  if (row.emergency) {
    scene.judgeOf(row.account).calls.troubled(timeline.now());
    const mark = markOver(way, (key) => marked.push(key), scene);
    const marked: Key[] = [];
    let answer: Awaited<ReturnType<EmergencyMark['mark']>> = 'unmarked';
    await untilDone(scene, async () => {
      answer = await mark.mark(row.account.key, row.slot, row.id);
    });
    for (const key of answer === 'unmarked' ? [] : marked.filter((one) => leaked.includes(one)))
      scene.judgeOf(row.account).calls.onMarked(key);
  }
  await wire
    .call(process, 'tables', 'put message', () => put(scene, carryOut, row.id), true)
    .catch(scene.verdict.outageOnly);
}

async function untilDone(scene: Scene, what: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await what();
      return;
    } catch (error) {
      scene.verdict.outageOnly(error);
      await scene.timeline.sleep(10_000);
    }
  }
}

function put({ chance, timeline, wire, verdict }: Scene, carryOut: CarryOut, id: string): void {
  const isBad = wire.weather.trouble > 0;
  const copies = isBad ? chance.pick([0, 1, 1, 1, 2]) : 1;
  if (copies !== 1) wire.count(copies === 0 ? 'message lost' : 'message doubled');
  const take = async (taken: number): Promise<void> => {
    try {
      if (await carryOut(id)) return;
      timeline.at(timeline.now() + MINUTE_MS, () => void take(taken));
    } catch (error) {
      verdict.outageOnly(error);
      if (taken < MAX_TAKEN) timeline.at(timeline.now() + INVISIBLE_MS, () => void take(taken + 1));
      else wire.count('message put aside');
    }
  };
  for (let copy = 0; copy < copies; copy += 1) {
    const delayMs = isBad ? chance.pick(DELAYS_MS) : chance.between(0, 2_000);
    if (delayMs > MINUTE_MS) wire.count('message late');
    timeline.at(timeline.now() + delayMs, () => void take(1));
  }
}

/** As src/azure/emergency-mark.ts does it. @param onMark told of the key that the slot has when the mark is written */
function markOver(
  { cloud, wire, process }: Way,
  onMark: (key: Key) => void,
  { onPublished, onBump }: Scene,
): EmergencyMark {
  return {
    mark: async (key, slot, demand) => {
      for (;;) {
        const row = await wire.call(process, 'tables', 'read published', () => cloud.published.get(key));
        if (row === undefined || row.state.generation === 0 || !row.moved) return 'unmarked';
        const { active, epoch, retiring } = row.state;
        const marked = slot ?? active;
        const marks = { ...row.marks, [marked]: { count: row.marks[marked].count + 1, demand } };
        const state = { ...row.state, epoch: epoch + 1, retiring: retiring === active ? active : marked };
        const write = () => {
          const next = { ...row, state, marks };
          const written = cloud.write(cloud.published, next);
          if (written !== 'moved') onPublished(next);
          const account = cloud.accounts.find((one) => one.key === key);
          if (written !== 'moved' && account !== undefined) onMark(account.current[marked]);
          return written;
        };
        if ((await wire.call(process, 'tables', 'mark', write, true)) === 'moved') continue;
        await wire.call(process, 'tables', 'bump head', () => onHead(cloud, onBump), true);
        return { slot: marked };
      }
    },
  };
}

function onHead(cloud: Way['cloud'], onBump: () => void): void {
  cloud.head += 1;
  onBump();
}
