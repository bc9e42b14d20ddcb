/**
 * The smallest changes of the policy that flip a refusal (those of the caller are in caller-changes.ts). Candidates are
 * made from what the trace says is lacking. Each is applied and decided again by the exchange's own decision, and only
 * those that flip it are proposed. A proposed rule names this one caller, so that no proposal grants to anybody else
 * unseen.
 */

import { applyPatch, type PatchOperation } from '../policy/apply-patch.ts';
import { durationText } from '../policy/duration.ts';
import { longestLifeMs } from '../policy/lifetimes.ts';
import { loadPolicy, PolicyError } from '../policy/load.ts';
import { compilePolicy, type Traced } from '../policy/match.ts';
import { isPerson } from '../policy/person.ts';
import type { Grant, Resource } from '../policy/schema.ts';
import type { Rules } from '../policy/version.ts';
import type { Caller, Snapshot } from '../ports.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import type { Asked, RevokedBy } from './decision.ts';
import { judge } from './explain.ts';

export interface Change {
  readonly what: string;
  readonly patch: readonly PatchOperation[];
}
export interface Decided {
  readonly version: Rules;
  readonly revokedBy: RevokedBy;
  readonly caller: Caller;
  readonly asked: Asked;
  readonly revocations: Snapshot['revocations'];
}

export const MAX_PROPOSED = 3;
/** Each try reads the whole policy again. */
const MAX_TRIED = 12;

/** Of the policy, for a caller who is refused as things are. */
export function policyChanges(decided: Decided): readonly Change[] {
  const { version, revokedBy, caller, asked, revocations } = decided;
  const flips = ({ patch }: Change): boolean => {
    try {
      const changed = applyPatch(version.source, patch);
      if (changed.kind === 'unfit') return false;
      const compiled = compilePolicy(loadPolicy(JSON.stringify(changed.document)));
      return 'option' in judge(compiled, revokedBy, caller, asked, revocations);
    } catch (error) {
      if (error instanceof PolicyError) return false;
      throw error;
    }
  };
  const proposed: Change[] = [];
  for (const change of candidates(decided).slice(0, MAX_TRIED)) {
    if (flips(change)) proposed.push(change);
    if (proposed.length === MAX_PROPOSED) break;
  }
  return proposed;
}

function candidates({ version: { policy, compiled }, caller, asked }: Decided): readonly Change[] {
  const resource = compiled.target(asked.target)?.resource;
  if (resource === undefined) return [];
  const known = compiled.tenantName(caller.tenantId);
  const tenant = known ?? newName(`tenant-${caller.tenantId.slice(0, 8)}`, policy.tenants);
  const opened: Change[] =
    known === undefined
      ? [
          {
            what: `let callers of the tenant ${caller.tenantId} come`,
            patch: [add('/tenants/-', { name: tenant, id: caller.tenantId })],
          },
        ]
      : [];
  const rule = { tenant, objectId: caller.objectId };
  const traced = new Map(compiled.trace(caller, resource, asked.tokenKind).map((each) => [each.grant, each]));
  const kinds = (asked.tokenKind === undefined ? resource.tokenKinds : [asked.tokenKind]).filter(
    (kind) => ACTS_AS[kind] !== 'caller' || isPerson(caller),
  );
  const found: { readonly distance: number; readonly change: Change }[] = [];
  for (const kind of kinds) {
    for (const [index, grant] of policy.grants.entries()) {
      const path = `/grants/${index}`;
      const parts = [...opened];
      const names = traced.get(grant);
      // Whether the caller fits a grant that does not name the resource shows when the resource is added: it is tried.
      if (grant.shadow === true)
        parts.push({
          what: `put ${grant.name} in force, which is in shadow`,
          patch: [{ op: 'replace', path: `${path}/shadow`, value: false }],
        });
      else if (names === undefined)
        parts.push({
          what: `add ${resource.name} to the resources of ${grant.name}`,
          patch: [add(`${path}/resources/-`, resource.name)],
        });
      else if (!names.applies)
        parts.push({
          what: `add this caller to the callers of ${grant.name}`,
          patch: [add(`${path}/callers/-`, rule)],
        });
      parts.push(...kindAdded(path, grant, resource, kind));
      if (parts.length > 0) found.push({ distance: distanceOf(names), change: joined(parts) });
    }
    const grant = {
      name: newName(`${resource.name}-${caller.objectId.slice(0, 8)}`.slice(0, 40), policy.grants),
      callers: [rule],
      resources: [resource.name],
      tokenKinds: [kind],
      maxLifetime: durationText(longestLifeMs(resource, kind)),
      rate: { count: 60, per: '1m' },
    };
    const added = {
      what: `add a grant for this caller and ${kind} tokens of ${resource.name}`,
      patch: [add('/grants/-', grant)],
    };
    found.push({ distance: 2, change: joined([...opened, added]) });
  }
  return found
    .sort(
      (one, other) => one.change.patch.length - other.change.patch.length || one.distance - other.distance,
    )
    .map(({ change }) => change);
}

/** How many conditions the caller does not meet in the grant's nearest rule. A grant of other resources is far. */
const distanceOf = (traced: Traced | undefined): number =>
  traced === undefined ? 3 : Math.min(...traced.rules.map((rule) => rule.filter(({ met }) => !met).length));

function kindAdded(path: string, grant: Grant, resource: Resource, kind: TokenKind): Change[] {
  if (grant.tokenKinds.includes(kind)) return [];
  const lifeMs = longestLifeMs(resource, kind);
  return [
    {
      what: `let ${grant.name} give ${kind} tokens`,
      patch: [
        add(`${path}/tokenKinds/-`, kind),
        ...(grant.maxLifetime < lifeMs
          ? [{ op: 'replace' as const, path: `${path}/maxLifetime`, value: durationText(lifeMs) }]
          : []),
      ],
    },
  ];
}

const add = (path: string, value: unknown): PatchOperation => ({ op: 'add', path, value });
const joined = (parts: readonly Change[]): Change => ({
  what: parts.map(({ what }) => what).join(', and '),
  patch: parts.flatMap(({ patch }) => patch),
});

function newName(wish: string, taken: readonly { readonly name: string }[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wish : `${wish}-${number}`;
    if (!taken.some((one) => one.name === name)) return name;
  }
}
