/**
 * Gives the accounts back to the version with one app, whose rotation works on the row that exchanges read. It is to be
 * run until it has handed back all of them; then that version is deployed. row.ts says how both ways fit together.
 */
import type { Demands } from './demand.ts';
import { secondRow } from './handed-back-row.ts';
import { handBack, isHandedBack, isHeld } from './lease.ts';
import type { RotationPorts, Target } from './ports.ts';
import { machineRow, markedSlots } from './publish.ts';
import { readable } from './row.ts';
import type { PublishedRow, StoredRow } from './state.ts';

/** @returns whether the account is handed back. False: a driver is at work, or others write; to be asked again. */
export async function handBackOne(ports: RotationPorts, target: Target): Promise<boolean> {
  const { store, published, clock } = ports;
  const { account } = target;
  const machine = readable(await store.read(account), target);
  let shown = readable(await published.read(account), target);
  if (shown === undefined || !shown.moved) return machine === undefined || isHandedBack(machine.lease);
  let given = machine ?? machineRow(shown);
  if (!isHandedBack(given.lease)) {
    if (machine !== undefined && isHeld(machine.lease, clock())) return false;
    given = { ...given, lease: handBack(given.lease, clock()) };
    if ((await store.write(given)) === 'moved') return false;
    // Read again: what the last driver published after the first look is in it.
    shown = readable(await published.read(account), target);
  }
  if (shown === undefined || !shown.moved || shown.lease.fence > given.lease.fence) return false;
  const row = secondRow(given, shown, clock());
  return (await published.write(row)) !== 'moved' && !row.moved;
}

/**
 * An operator's emergency is over before its account is handed back: the older version knows no marks. So the account
 * is rotated until then, also one whose hand-back was given up for it in the middle (secondRow).
 */
export function isInEmergency({ state, lease }: StoredRow, { marks, lease: shown }: PublishedRow): boolean {
  if (isHandedBack(lease)) return shown.fence > lease.fence;
  const turns = state.work === undefined ? [] : [state.work, ...state.work.queue];
  return markedSlots(state, marks).length > 0 || turns.some(({ marked }) => marked);
}

/** Nothing is begun any more but an operator's emergency, and that only where the account is not handed back yet. */
export function whileHandingBack(
  { store }: RotationPorts,
  demands: Demands,
  targets: readonly Target[],
): Demands {
  return {
    ...demands,
    heal: async () => undefined,
    retireNow: async (resource, request) => {
      const target = targets.find(({ name }) => name === resource);
      if (target === undefined) return undefined;
      const machine = readable(await store.read(target.account), target);
      const isRotated = machine !== undefined && !isHandedBack(machine.lease);
      if (request.emergency && isRotated) return demands.retireNow(resource, request);
      const why = 'the account is handed back to the version with one app';
      return { kind: 'notBegun', resource, state: 'handed back', why };
    },
  };
}
