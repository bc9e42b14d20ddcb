/** What the broker itself tells: the policy in force, and what could not be used. And the policy file at hand. */
import { readFileSync } from 'node:fs';
import { loadPolicy, PolicyError } from '../../policy/load.ts';
import { compact, versionOf } from '../../policy/version.ts';
import type { Api } from '../api.ts';
import { CommandFailure } from '../failure.ts';
import type { Looked } from './check.ts';
import type { Evidence } from './evidence.ts';
import { SINCE_MS } from './look-at-events.ts';

type Seen = Pick<Evidence, 'policy' | 'poison' | 'rotated'>;

/** @param api undefined where the broker cannot be asked, and then `why` says it */
export async function lookAtBroker(
  api: Api | undefined,
  why: string,
  policyFile: string | undefined,
  nowMs: number,
): Promise<Seen> {
  const inForce = await asked(api, why, (broker) =>
    broker.get<{ readonly version: string; readonly policy: unknown }>('policy'),
  );
  const poison = await asked(api, why, async (broker) => {
    const events = await broker.all<{ readonly kind: string; readonly at: string }>('events');
    return events.filter(({ kind, at }) => kind === 'poison' && Date.parse(at) > nowMs - SINCE_MS).length;
  });
  const file = policyFile === undefined ? undefined : readPolicy(policyFile);
  const here: Looked<string> =
    file === undefined
      ? { unseen: '--policy FILE compares it with a file' }
      : { seen: versionOf(compact(file.source)) };
  const there = 'seen' in inForce ? { seen: inForce.seen.version } : inForce;
  const source = 'seen' in inForce ? inForce.seen.policy : file?.source;
  return {
    policy: { here, there },
    poison,
    rotated: source === undefined ? { unseen: `${why}, and no --policy FILE is given` } : rotatedOf(source),
  };
}

async function asked<Found>(
  api: Api | undefined,
  why: string,
  ask: (api: Api) => Promise<Found>,
): Promise<Looked<Found>> {
  if (api === undefined) return { unseen: why };
  try {
    return { seen: await ask(api) };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { unseen: error.message };
  }
}

/** Accounts are named without case in Azure; two resources of a policy may share one. */
function rotatedOf(source: unknown): Looked<readonly string[]> {
  try {
    const { resources } = loadPolicy(JSON.stringify(source));
    const rotated = resources.filter(
      ({ secret, rotation }) => secret !== undefined && rotation !== undefined,
    );
    return { seen: [...new Set(rotated.map(({ accountId }) => accountId))] };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { unseen: 'this version of the command cannot read the policy in force' };
  }
}

/** @throws CommandFailure where the file is no JSON; that it is a policy is for `policy check` to say */
function readPolicy(file: string): { readonly source: unknown } {
  try {
    return { source: JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    throw new CommandFailure(
      'usage',
      `${file} cannot be read as a policy.`,
      'policy check FILE says what is wrong with one.',
    );
  }
}
