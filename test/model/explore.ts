/** Every order in which the calls of some processes can take effect, with a crash and with time passing in between. */
import { type Answer, type Call, callsAfter, type Script } from './actor.ts';

export interface Model<World extends { readonly nowMs: number }> {
  readonly world: World;
  readonly processes: Readonly<Record<string, Script>>;
  /** What a call does and what it answers. Worlds are plain data and are not changed in place. */
  apply(world: World, process: string, call: Call): { readonly world: World; readonly value: unknown };
  /** It touches only what no other process does, so when it takes effect makes no difference. */
  isPrivate(call: Call, world: World): boolean;
  /** Whether a process that has ended, or was killed, begins anew. */
  beginsAgain(process: string, world: World): boolean;
  /** The worlds that time passing can lead to. */
  later(world: World): readonly World[];
  /** In words, where the world must not be like this. */
  violation(world: World): string | undefined;
}
export interface Explored {
  readonly states: number;
  /** The first that was found, with the way to it. */
  readonly violation: { readonly what: string; readonly trace: readonly string[] } | undefined;
}

/** Where one process is: what it was answered since it began, and so what it waits for. `over`: it is no more. */
interface Place {
  readonly id: number;
  readonly beganAtMs: number;
  readonly answers: readonly Answer[];
  readonly calls: readonly Call[];
  readonly over: boolean;
}
/** A world, by a number: there are few, and each is met many times. */
interface Numbered<World> {
  readonly id: number;
  readonly world: World;
}
interface State<World> {
  readonly at: Numbered<World>;
  readonly places: readonly Place[];
  readonly crashesLeft: number;
}
interface Way<World> {
  readonly state: State<World>;
  readonly step: string;
  readonly from: Way<World> | undefined;
}

/** @param look is shown every world once: to see that the search reaches what it is about */
export async function explore<World extends { readonly nowMs: number }>(
  model: Model<World>,
  look: (world: World) => void = () => undefined,
): Promise<Explored> {
  const names = Object.keys(model.processes);
  const worlds = new Map<string, Numbered<World>>();
  const numbered = (world: World): Numbered<World> => {
    const text = JSON.stringify(world);
    const found = worlds.get(text) ?? { id: worlds.size, world };
    if (!worlds.has(text)) look(world);
    worlds.set(text, found);
    return found;
  };
  const over: Place = { id: 0, beganAtMs: 0, answers: [], calls: [], over: true };
  const places = new Map<string, Place>();
  const place = async (process: number, beganAtMs: number, answers: readonly Answer[]): Promise<Place> => {
    const text = JSON.stringify([process, beganAtMs, answers]);
    const found = places.get(text);
    if (found !== undefined) return found;
    const script = model.processes[names[process] ?? ''];
    if (script === undefined) throw new Error(`no process ${process}`);
    const calls = await callsAfter(script, answers, beganAtMs);
    const made: Place = { id: places.size + 1, beganAtMs, answers, calls, over: false };
    places.set(text, made);
    return made;
  };
  const afresh = async (process: number, { world }: Numbered<World>): Promise<Place> =>
    model.beginsAgain(names[process] ?? '', world) ? place(process, world.nowMs, []) : over;

  /** Steps depend on the world and on one process's place only: each is made once, and remembered. */
  const steps = new Map<string, { readonly at: Numbered<World>; readonly place: Place }>();
  const step = async (at: Numbered<World>, process: number, from: Place, call: Call) => {
    const key = `${at.id} ${process} ${from.id} ${call.index}`;
    const found = steps.get(key);
    if (found !== undefined) return found;
    const { world, value } = model.apply(at.world, names[process] ?? '', call);
    const answer = { index: call.index, value, nowMs: world.nowMs };
    const reached = numbered(world);
    const next = await place(process, from.beganAtMs, [...from.answers, answer]);
    // What has ended leaves no memory behind.
    const made = { at: reached, place: next.calls.length > 0 ? next : await afresh(process, reached) };
    steps.set(key, made);
    return made;
  };

  const known = new Set<string>();
  const todo: Way<World>[] = [];
  const reach = (state: State<World>, made: string, from: Way<World> | undefined): void => {
    const key = `${state.at.id} ${state.crashesLeft} ${state.places.map(({ id }) => id).join(' ')}`;
    if (known.has(key)) return;
    known.add(key);
    todo.push({ state, step: made, from });
  };
  const first = numbered(model.world);
  const begun = await Promise.all(names.map((_, index) => place(index, model.world.nowMs, [])));
  reach({ at: first, places: begun, crashesLeft: 1 }, 'the beginning', undefined);

  for (let way = todo.pop(); way !== undefined; way = todo.pop()) {
    const { state } = way;
    const what = model.violation(state.at.world);
    if (what !== undefined) return { states: known.size, violation: { what, trace: traceOf(way) } };
    const make = async (process: number, from: Place, call: Call): Promise<void> => {
      const made = await step(state.at, process, from, call);
      const said = `${names[process]}: ${call.name} ${call.args.join(' ')}`;
      reach({ ...state, at: made.at, places: state.places.with(process, made.place) }, said, way);
    };

    // What nobody else can see is done at once: no order of it makes a difference.
    const isPrivate = (call: Call): boolean => model.isPrivate(call, state.at.world);
    const unseen = state.places.findIndex(({ calls }) => calls.some(isPrivate));
    const quiet = state.places[unseen];
    const only = quiet?.calls.find(isPrivate);
    if (quiet !== undefined && only !== undefined) {
      await make(unseen, quiet, only);
      continue;
    }
    for (const [process, from] of state.places.entries()) {
      for (const call of from.calls) await make(process, from, call);
      if (state.crashesLeft === 0 || from.over) continue;
      // One that does not begin anew is like one that waits for an answer until all is over: that is an order too.
      const anew = await afresh(process, state.at);
      if (anew.over) continue;
      const places = state.places.with(process, anew);
      reach({ ...state, places, crashesLeft: 0 }, `${names[process]} is killed`, way);
    }
    for (const world of model.later(state.at.world)) {
      const at = numbered(world);
      const woken = state.places.map((from, process) => (from.over ? afresh(process, at) : from));
      reach({ ...state, at, places: await Promise.all(woken) }, 'time passes', way);
    }
  }
  return { states: known.size, violation: undefined };
}

function traceOf<World>(last: Way<World>): string[] {
  const trace: string[] = [];
  for (let way: Way<World> | undefined = last; way !== undefined; way = way.from) trace.unshift(way.step);
  return trace;
}
