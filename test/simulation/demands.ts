/**
 * What an operator asks of an issuer: a row in table `demands`, in an emergency a mark, and a message that may be lost,
 * doubled, late and out of order. Whichever rotator gets it carries the demand out; the timer looks after the rows too.
 */
import { createPlace, type Wish } from '../../src/demand/place.ts';
import type { EmergencyMark } from '../../src/ports.ts';
import { sha256 } from '../../src/secret.ts';
import type { Account, Key } from './account.ts';
import type { Way } from './azure.ts';
import { MINUTE_MS, type Scene } from './scene.ts';
import { demandBookOver } from './tables.ts';

/** Gives a message to some rotator. False: there is none yet that takes messages. */
export type Tell = (message: unknown) => Promise<boolean>;

const DELAYS_MS = [0, 1_000, 3_000, 30_000, 10 * MINUTE_MS] as const;
/** A message that was taken so often without success is put aside. */
const MAX_TAKEN = 5;
const INVISIBLE_MS = 10_000;

/** An operator asks at this time, and again until an issuer has answered. Each time it is another demand. */
export function demandAt(
  scene: Scene,
  tell: Tell,
  ms: number,
  account: Account,
  { slot, emergency }: Pick<Wish, 'slot' | 'emergency'>,
): void {
  const { timeline, verdict, wire, policies } = scene;
  timeline.at(ms, () => {
    const kind = emergency ? 'demand in an emergency' : 'demand';
    verdict.note(`an operator wants ${slot ?? 'both keys'} of ${account.name} rotated: a ${kind}`);
    wire.count(kind);
    if (emergency) scene.judgeOf(account).keys.onEmergency(slot);
    const resource = policies.of(account)?.name ?? account.name;
    const asked = { resource, account: account.key, slot, emergency, who: 'somebody', correlationId: '' };
    void untilDone(scene, () => ask(scene, tell, account, asked));
  });
}

async function ask(
  scene: Scene,
  tell: Tell,
  account: Account,
  asked: Omit<Wish, 'id' | 'at' | 'reason'>,
): Promise<void> {
  const { wire, cloud, verdict } = scene;
  const process = scene.newProcess('exchange');
  const way = scene.way(process);
  // The demand may be carried out before its mark is set. Then the mark is of a new key, about which nobody has asked.
  // The same is true while the rotation does not know yet that its last request has made that key.
  const phase = cloud.row(account.key)?.state.work?.phase;
  const isOfNow = ({ value }: Key): boolean =>
    phase?.name !== 'regenerating' || phase.before === sha256(value).slice(0, 16);
  const leaked = Object.values(account.current).filter(isOfNow);
  const marked: Key[] = [];
  cloud.demandsAsked += 1;
  const number = cloud.demandsAsked;
  const mark = markOver(way, (key) => marked.push(key), scene);
  let answer: Awaited<ReturnType<EmergencyMark['mark']>> = 'unmarked';
  const place = createPlace({
    book: demandBookOver(way),
    mark: {
      mark: async (...args) => {
        answer = await mark.mark(...args);
        return answer;
      },
    },
    queue: {
      put: (text) => wire.call(process, 'queues', 'put message', () => put(scene, tell, text), true),
    },
    freshnessMs: 0,
    sleep: async () => undefined,
    log: () => undefined,
  });
  if (asked.emergency) scene.judgeOf(account).calls.troubled(scene.timeline.now());
  const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const at = new Date(process.clock()).toISOString();
  await place({ ...asked, id, at, reason: `demand ${number}` });
  verdict.note(`demand ${number} is placed`);
  if (answer === 'unmarked') return;
  for (const key of marked) if (leaked.includes(key)) scene.judgeOf(account).calls.onMarked(key);
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

function put({ chance, timeline, wire, verdict }: Scene, tell: Tell, text: string): void {
  const isBad = wire.weather.trouble > 0;
  const copies = isBad ? chance.pick([0, 1, 1, 1, 2]) : 1;
  if (copies !== 1) wire.count(copies === 0 ? 'message lost' : 'message doubled');
  const take = async (taken: number): Promise<void> => {
    try {
      if (await tell(JSON.parse(text))) return;
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
          const written = cloud.write(cloud.published, next.account, next);
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
