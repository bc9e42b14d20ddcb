/** The policy in force, and how it changes: each instance takes a new one over at its own time. */
import type { Policy, Resource } from '../../src/policy/schema.ts';
import type { PolicyVersion as Rules } from '../../src/policy/version.ts';
import { inForce } from '../policy/rules.ts';
import type { Account } from './account.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

const TENANT_ID = '00000000-0000-0000-0000-0000000000aa';
/** A roll-out of a new policy: instances with the old one go on for so long. */
export const MAX_ROLLOUT_MS = 600_000;
const MINUTE_MS = 60_000;

export interface PolicyVersion {
  readonly resources: readonly Resource[];
  readonly rules: Rules;
}

export class Policies {
  private version: PolicyVersion;
  private readonly taking: ((version: PolicyVersion) => void)[] = [];
  private readonly timeline: Timeline;
  private readonly chance: Chance;

  constructor(chance: Chance, timeline: Timeline, resources: readonly Resource[]) {
    this.chance = chance;
    this.timeline = timeline;
    this.version = versionOf(resources);
  }

  get inForce(): PolicyVersion {
    return this.version;
  }
  of(account: Account): Resource | undefined {
    return this.version.resources.find(({ accountId }) => accountId === account.id);
  }

  /** An instance begins anew whenever it takes over another policy. */
  onChange(take: (version: PolicyVersion) => void): void {
    this.taking.push(take);
  }
  change(resources: readonly Resource[]): void {
    this.version = versionOf(resources);
    for (const take of this.taking) {
      const atMs = this.timeline.now() + this.chance.between(0, MAX_ROLLOUT_MS);
      this.timeline.at(atMs, () => take(this.version));
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

export function drawResource(account: Account, chance: Chance, tickMs: number): Resource {
  const application = { kind: 'application' as const, name: 'old job', within: 20 * MINUTE_MS };
  return {
    name: account.name,
    accountId: account.id,
    kind: 'SpeechServices',
    region: 'westeurope',
    endpoint: `https://${account.name}.invalid`,
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
