/** A policy as a command has it: from a file, or as the broker says it is in force. */
import { loadPolicy, PolicyError } from '../policy/load.ts';
import type { Policy } from '../policy/schema.ts';
import { type Api, Refused } from './api.ts';

export type Loaded = Policy | { readonly problems: readonly string[] };

export function load(text: string): Loaded {
  try {
    return loadPolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { problems: error.message.split('\n') };
  }
}

/** @returns undefined where the broker is of a time before it told its policy */
export async function policyInForce(api: Api): Promise<Loaded | undefined> {
  try {
    const { policy } = await api.get<{ policy: unknown }>('policy');
    return load(JSON.stringify(policy));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}
