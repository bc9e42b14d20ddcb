/**
 * What operators and the health check are told of the rotation, in the issuer app: the rows that the rotator app wrote.
 * Neither ARM nor the vault is asked.
 */

import { accountKey } from '../account-key.ts';
import { iso } from '../iso.ts';
import type { Resource } from '../policy/schema.ts';
import type { Clock } from '../ports.ts';
import type { PlanReader, PlanRow } from './plan-row.ts';
import type { HistoryEntry } from './state.ts';

/** The plan of one resource, as the operator API returns it and as `npm run rotation -- plan` prints it. */
export interface Plan extends Omit<PlanRow, 'account' | 'asOf' | 'overdueAt' | 'hasKeyOfUnknownAge'> {
  /** When the rotator app computed it; absent: it has not looked yet. */
  readonly asOf?: string | undefined;
  readonly overdue: boolean;
  /** The last steps that were made, the newest first. */
  readonly steps: readonly StepDone[];
}
export interface StepDone {
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
  /** How long the rotation was in the phase `from`. */
  readonly tookSeconds: number;
  readonly by: string;
  readonly emergency?: true | undefined;
  /** From the regenerate until the new key was seen accepted, and the old one refused. */
  readonly newKeyLagSeconds?: number | undefined;
  readonly oldKeyLagSeconds?: number | undefined;
}

/** Resources, by their names. */
export interface Overdue {
  readonly overdue: readonly string[];
  /** They have a key that the rotation did not see being made, so its age is unknown. */
  readonly ofUnknownAge: readonly string[];
}

export interface Planned {
  plan(): Promise<readonly Plan[]>;
  /** Computed from the rows at the time of the call, so it is also right when the rotator app has stopped. */
  overdue(): Promise<Overdue>;
}

const STEPS_SHOWN = 20;

export function createPlanned(reader: PlanReader, resources: readonly Resource[], clock: Clock): Planned {
  const rotated = resources
    .filter(({ secret, rotation }) => secret !== undefined && rotation !== undefined)
    .map(({ name, accountId }) => ({ name, account: accountKey(accountId) }));

  const rows = async () => {
    const byAccount = new Map((await reader.all()).map((row) => [row.account, row]));
    return rotated.map((target) => ({ ...target, row: byAccount.get(target.account) }));
  };
  const isOverdue = (row: PlanRow | undefined): boolean =>
    row?.overdueAt !== undefined && clock() > Date.parse(row.overdueAt);

  return {
    plan: async () =>
      Promise.all(
        (await rows()).map(async ({ name, account, row }) => {
          const shared = {
            resource: name,
            overdue: isOverdue(row),
            steps: (await stepsOf(reader, account, name)).map(stepDone),
          };
          if (row === undefined)
            return { ...shared, state: 'not seen yet', next: 'the rotator app looks with its next tick' };
          const { account: _, overdueAt, hasKeyOfUnknownAge, ...told } = row;
          return { ...told, ...shared };
        }),
      ),
    overdue: async () => {
      const seen = await rows();
      return {
        overdue: seen.filter(({ row }) => isOverdue(row)).map(({ name }) => name),
        ofUnknownAge: seen.filter(({ row }) => row?.hasKeyOfUnknownAge ?? true).map(({ name }) => name),
      };
    },
  };
}

/** The newest first. Entries of older versions are kept under the resource's name, and come after the others. */
async function stepsOf(reader: PlanReader, account: string, name: string): Promise<readonly HistoryEntry[]> {
  const found = await reader.history(account, STEPS_SHOWN);
  return found.length < STEPS_SHOWN
    ? [...found, ...(await reader.history(name, STEPS_SHOWN - found.length))]
    : found;
}

function stepDone(entry: HistoryEntry): StepDone {
  const { from, to, why, by, newKeyLagMs, oldKeyLagMs } = entry;
  return {
    at: iso(entry.atMs),
    from,
    to,
    why,
    tookSeconds: Math.round(entry.tookMs / 1000),
    by,
    ...(entry.emergency ? { emergency: true } : {}),
    ...(newKeyLagMs === undefined ? {} : { newKeyLagSeconds: Math.round(newKeyLagMs / 1000) }),
    ...(oldKeyLagMs === undefined ? {} : { oldKeyLagSeconds: Math.round(oldKeyLagMs / 1000) }),
  };
}
