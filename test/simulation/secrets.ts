/** A key vault: secrets with versions, soft delete, and replicas that show what was true some seconds ago. */
import { Secret } from '../../src/secret.ts';
import type { Chance } from './random.ts';

export interface Version {
  readonly version: string;
  readonly value: string;
  readonly secret: Secret;
  readonly createdAtMs: number;
  tags: Record<string, string>;
  enabled: boolean;
}
interface Kept {
  versions: Version[];
  /** Soft-deleted: nothing can be read, and nothing written under this name. */
  deleted: boolean;
}

export class Secrets {
  private readonly secrets = new Map<string, Kept>();
  private readonly chance: Chance;
  private made = 0;

  constructor(chance: Chance) {
    this.chance = chance;
  }

  private kept(secret: string): Kept {
    const there = this.secrets.get(secret) ?? { versions: [], deleted: false };
    this.secrets.set(secret, there);
    return there;
  }

  /** Every version that can be seen; a replica that is behind may not have the youngest yet. */
  versions(secret: string, nowMs = 0, behindMs = 0): readonly Version[] {
    const { versions, deleted } = this.kept(secret);
    if (deleted) return [];
    const last = versions.at(-1);
    const isBehind =
      last !== undefined && behindMs > 0 && nowMs - last.createdAtMs < behindMs && this.chance.is(0.5);
    return isBehind ? versions.slice(0, -1) : versions;
  }

  current(secret: string, nowMs = 0, behindMs = 0): Version | undefined {
    return this.versions(secret, nowMs, behindMs).at(-1);
  }

  /** `deleted`: the name is taken until the secret is recovered or purged. */
  add(
    secret: string,
    value: string,
    tags: Record<string, string>,
    nowMs: number,
  ): { version: string } | 'deleted' {
    const kept = this.kept(secret);
    if (kept.deleted) return 'deleted';
    this.made += 1;
    const version = `version-${this.made}`;
    kept.versions.push({
      version,
      value,
      secret: new Secret(value),
      tags,
      createdAtMs: nowMs,
      enabled: true,
    });
    return { version };
  }

  disable(secret: string, version: string): void {
    const found = this.versions(secret).find((one) => one.version === version);
    if (found !== undefined) found.enabled = false;
  }

  softDelete(secret: string): void {
    this.kept(secret).deleted = true;
  }
  recover(secret: string): void {
    this.kept(secret).deleted = false;
  }
  purge(secret: string): void {
    this.secrets.delete(secret);
  }
}
