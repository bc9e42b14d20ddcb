/**
 * The policy in force, and how it changes: the pointer is written, then the head is bumped, and a publisher that dies in
 * between leaves it to others. The two apps take another version over between two pieces of work; instances of the
 * version with one app, which knows no pointer, begin anew at their own time, as a deployment does it.
 */
import type { Policy, Resource } from '../../src/policy/schema.ts';
import type { PolicyVersion as Rules } from '../../src/policy/version.ts';
import { inForce } from '../policy/rules.ts';
import type { Account } from './account.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

const TENANT_ID = '00000000-0000-0000-0000-0000000000aa';
/** A roll-out to the version with one app: instances with the old policy go on for so long. */
export const MAX_ROLLOUT_MS = 600_000;
const MINUTE_MS = 60_000;

export interface PolicyVersion {
  readonly resources: readonly Resource[];
  readonly rules: Rules;
}
/** From when to when somebody may decide by it. */
interface Term {
  readonly version: PolicyVersion;
  /** When the call that put the next one in force had returned; undefined: none has. */
  overAtMs: number | undefined;
}

export class Policies {
  private readonly terms: Term[];
  private readonly taking: ((version: PolicyVersion) => void)[] = [];
  private readonly timeline: Timeline;
  private readonly chance: Chance;
  /** Bumps the head, however often it must be tried; false: whoever does it has died. */
  tellAll: () => Promise<boolean> = async () => true;

  constructor(chance: Chance, timeline: Timeline, resources: readonly Resource[]) {
    this.chance = chance;
    this.timeline = timeline;
    this.terms = [{ version: versionOf(resources), overAtMs: undefined }];
  }

  /** What the pointer says. */
  get inForce(): PolicyVersion {
    const last = this.terms.at(-1);
    if (last === undefined) throw new Error('there is always a policy');
    return last.version;
  }
  of(account: Account): Resource | undefined {
    return this.inForce.resources.find(({ accountId }) => accountId === account.id);
  }
  /** The policy of a version as the pointer names it. */
  rulesOf(version: string | undefined): Rules {
    const found = this.terms.findLast((term) => term.version.rules.version === version);
    if (found === undefined) throw new Error(`no version ${version}`);
    return found.version.rules;
  }
  /** By which versions an exchange may be decided that began then and ends now. */
  between(beganAtMs: number): readonly PolicyVersion[] {
    return this.terms
      .filter(({ overAtMs }) => overAtMs === undefined || overAtMs >= beganAtMs)
      .map(({ version }) => version);
  }

  /** An instance of the version with one app begins anew whenever it takes over another policy. */
  onChange(take: (version: PolicyVersion) => void): void {
    this.taking.push(take);
  }
  change(resources: readonly Resource[]): void {
    const before = this.terms.filter(({ overAtMs }) => overAtMs === undefined);
    this.terms.push({ version: versionOf(resources), overAtMs: undefined });
    void this.tellAll().then((isTold) => {
      if (!isTold) return;
      for (const term of before) term.overAtMs ??= this.timeline.now();
    });
    for (const take of this.taking) {
      const atMs = this.timeline.now() + this.chance.between(0, MAX_ROLLOUT_MS);
      this.timeline.at(atMs, () => take(this.inForce));
    }
  }
}

function versionOf(resources: readonly Resource[]): PolicyVersion {
  const policy: Policy = {
    tenants: [{ name: 'home', id: TENANT_ID }],
    resources: [...resources],
    grants: [
      {
        name: 'everybody',
        callers: [{ tenant: 'home' }],
        resources: ['*'],
        tokenKinds: ['sts'],
        maxLifetime: 60 * MINUTE_MS,
        rate: { count: 1_000_000, per: MINUTE_MS },
      },
    ],
    transmitters: [],
  };
  return { resources, rules: inForce(policy) };
}

export const endpointOf = (account: string): string => `https://${account}.invalid`;

export function drawResource(account: Account, chance: Chance, tickMs: number): Resource {
  const application = { kind: 'application' as const, name: 'old job', within: 20 * MINUTE_MS };
  return {
    name: account.name,
    accountId: account.id,
    kind: 'SpeechServices',
    region: 'westeurope',
    endpoint: endpointOf(account.name),
    tokenKinds: ['sts'],
    identity: { kind: 'application' },
    scope: 'https://cognitiveservices.azure.com/.default',
    secret: `${account.name}-key`,
    rotation: {
      period: (tickMs > MINUTE_MS ? 45 : 15) * MINUTE_MS,
      mode: chance.pick(['full', 'full', 'alternating']),
      paused: false,
      consumers: chance.is(0.4) ? [application] : [],
    },
  };
}

/** Whoever calls: who that is does not matter here. */
export const CALLER = {
  kind: 'application' as const,
  tenantId: TENANT_ID,
  objectId: '00000000-0000-0000-0000-0000000000bb',
  clientId: '00000000-0000-0000-0000-0000000000cc',
  uti: 'uti',
  issuedAtSeconds: 0,
  expiresAtSeconds: Number.MAX_SAFE_INTEGER,
  scopes: [],
  appRoles: [],
  groups: [],
};
