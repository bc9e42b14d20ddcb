/**
 * What a large policy costs: to load and compile it, as every cold start does, and to find a caller's grant in it.
 * Processor time, since a busy machine stretches the other one; the least of the runs, since it can only be disturbed.
 */
import { loadPolicy } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { policyWarnings } from '../../src/policy/warnings.ts';
import type { Caller } from '../../src/ports.ts';
import { aCaller } from '../exchange/caller.ts';
import { HOME, samplePolicy } from '../policy/sample.ts';

const RUNS = 5;
const LOOKUPS = 20_000;
const SIZES = [10, 1_000, 3_000, 10_000];
const REGIONAL = {
  own: (number: number) => ({ regionalEndpoint: `https://region-${number}.example` }),
  shared: () => ({ regionalEndpoint: 'https://westeurope.example' }),
  none: () => ({}),
};

export interface PolicyBench {
  /** By how resources have a regional endpoint, then by their number: `loadPolicy`, warnings and `compilePolicy`. */
  readonly loadMs: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** One decision. */
  readonly lookupMicros: Readonly<Record<'small' | 'grantsOfAResource' | 'callersOfAGrant', number>>;
}

export async function policyBench(): Promise<PolicyBench> {
  const loadMs = Object.fromEntries(
    Object.entries(REGIONAL).map(([shape, regional]) => [
      shape,
      Object.fromEntries(SIZES.map((count) => [count, loadOf(policyText(count, regional))])),
    ]),
  );
  return {
    loadMs,
    lookupMicros: {
      small: lookup(1, 1),
      grantsOfAResource: lookup(10_000, 1),
      callersOfAGrant: lookup(1, 10_000),
    },
  };
}

function loadOf(text: string): number {
  const least = leastCpuMicros(() => {
    const policy = loadPolicy(text);
    policyWarnings(policy);
    compilePolicy(policy);
  });
  return Math.round(least / 100) / 10;
}

/** The last caller of the last grant asks. */
function lookup(grantCount: number, callerCount: number): number {
  const { grants, ...rest } = samplePolicy();
  const { target, options } = compilePolicy(
    loadPolicy(
      JSON.stringify({
        ...rest,
        grants: Array.from({ length: grantCount }, (_, grant) => ({
          ...grants[0],
          name: `grant-${grant}`,
          callers: Array.from({ length: callerCount }, (__, caller) => ({
            tenant: 'home',
            clientId: idOf(grant * callerCount + caller),
          })),
        })),
      }),
    ),
  );
  const resource = target('speech')?.resource;
  const caller: Caller = aCaller({ tenantId: HOME, clientId: idOf(grantCount * callerCount - 1) });
  if (resource === undefined || options(caller, resource, undefined).length !== 1)
    throw new Error('the caller should have one grant');
  const least = leastCpuMicros(() => {
    for (let left = LOOKUPS; left > 0; left -= 1) options(caller, resource, undefined);
  });
  return Math.round((least / LOOKUPS) * 100) / 100;
}

/** Each resource has a grant of its own, as where a team has an account. */
function policyText(count: number, regional: (number: number) => object): string {
  const { resources, grants, ...rest } = samplePolicy();
  const { regionalEndpoint: _, ...resource } = resources[0] ?? {};
  const numbers = Array.from({ length: count }, (__, number) => number);
  return JSON.stringify({
    ...rest,
    resources: numbers.map((number) => ({
      ...resource,
      ...regional(number),
      name: `speech-${number}`,
      accountId: `${resource['accountId']}${number}`,
      endpoint: `https://speech-${number}.example`,
      secret: `speech-key-${number}`,
    })),
    grants: numbers.map((number) => ({
      ...grants[0],
      name: `captions-${number}`,
      callers: [{ tenant: 'home', clientId: idOf(number) }],
      resources: [`speech-${number}`],
    })),
  });
}

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

function leastCpuMicros(work: () => void): number {
  const runs = Array.from({ length: RUNS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...runs);
}
