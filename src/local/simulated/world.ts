/** What exists in the simulated Azure at its start: the demo set (demo.ts), or what a policy names (policy-world.ts). */
import type { TokenKind } from '../../token-kind.ts';
import type { AccountSpec } from './accounts.ts';
import type { DemoCaller } from './demo-directory.ts';
import type { Application, DirectorySpec } from './directory.ts';
import type { RoleAssignment } from './roles.ts';

export interface WorldAccount extends AccountSpec {
  readonly tokenKinds: readonly TokenKind[];
  /** The name of its secret in the vault. */
  readonly secret?: string;
}

/** An account with the addresses of its two simulated hosts. */
export interface ResourceDescription extends WorldAccount {
  readonly endpoint: string;
  readonly regionalEndpoint: string;
}

/** An identity provider that sends Security Event Tokens. Here it signs with the keys of the simulated Entra. */
export interface TransmitterDescription {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
}

export interface World {
  readonly accounts: readonly WorldAccount[];
  readonly directory: DirectorySpec;
  /** The tenant of the caller who may do nothing. */
  readonly otherTenantId: string;
  readonly callers: readonly DemoCaller[];
  /** Whose token is the good one that hostile tokens are made from. */
  readonly goodCaller: Application;
  readonly roleAssignments: readonly RoleAssignment[];
  /** @param authority the address of the simulated Entra */
  transmitters(authority: string): readonly TransmitterDescription[];
  /** The policy in force, as JSON: with the simulated addresses of these accounts. */
  policy(accounts: readonly ResourceDescription[], authority: string, nowMs: number): object;
}
