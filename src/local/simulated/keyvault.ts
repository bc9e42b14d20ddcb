/**
 * The simulated Key Vault, as `@azure/keyvault-secrets` speaks to it: the challenge, the percent-encoded
 * api-version, the trailing slash of the current version, roles, throttling, soft delete, events.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../ports.ts';
import type { EventGridEvent } from './accounts-events.ts';
import { createBucket } from './bucket.ts';
import { badParameter, challenge, failure, forbiddenByRbac, throttled } from './keyvault-answers.ts';
import { announceExpiries, vaultEvent } from './keyvault-events.ts';
import { type VaultOperation, vaultOperations } from './keyvault-operations.ts';
import { openSecretStore, replicaOf, type VersionInput } from './keyvault-store.ts';
import { type Authenticate, allows, type RoleAssignment } from './roles.ts';
import type { Call, Endpoint, Outcome } from './service.ts';

export interface KeyVaultOptions {
  readonly dataFolder: string;
  /** The vault's ARM id. */
  readonly vaultId: string;
  /** `https://{login host}/{tenant}`, for the challenge. */
  authority(): string;
  /** The vault's own URL, for the ids in its answers and events. */
  url(): string;
  readonly authenticate: Authenticate;
  assignments(): readonly RoleAssignment[];
  readonly now: Clock;
  publish(event: EventGridEvent): void;
  /** Secrets that the vault gets, by name, where it has none of that name. No event is sent: nobody had subscribed yet. */
  readonly seed: ReadonlyMap<string, VersionInput>;
}

export interface KeyVault extends Omit<Endpoint, 'port'> {
  /** Sends the expiry events that are due by now: for when virtual time has moved. */
  announceExpiries(): void;
  /** Soft-deletes or recovers a secret, as a person in the portal does. False: there is none such. */
  setDeleted(secret: string, deleted: boolean): boolean;
}

const apiVersions = ['7.0', '7.1', '7.2', '7.3', '7.4', '7.5', '7.6', '2025-07-01'];
/** Per vault and region: 4,000 operations and 300 new versions in 10 s. */
const limits = { operations: 4000, creations: 300, windowSeconds: 10 };

export function createKeyVault(options: KeyVaultOptions): KeyVault {
  const store = openSecretStore(options.dataFolder);
  for (const [name, input] of options.seed) {
    if (store.find(name) === undefined) store.add(name, input, seconds(options.now()));
  }
  /** On the wall clock, by version: what a replica that lags does not have yet. */
  const writtenAtMs = new Map<string, number>();
  const isOlderThan = (id: string, ms: number) =>
    performance.now() - (writtenAtMs.get(id) ?? Number.NEGATIVE_INFINITY) >= ms;
  const operations = createBucket(limits.operations, limits.operations / limits.windowSeconds);
  const creations = createBucket(limits.creations, limits.creations / limits.windowSeconds);

  async function handle(call: Call): Promise<Outcome> {
    const version = call.url.searchParams.get('api-version');
    if (version === null) return badParameter('The request is missing the api-version parameter.');
    if (!apiVersions.includes(version)) {
      return badParameter(
        `The specified version (${version}) is not recognized. Consider using the latest supported version (2025-07-01).`,
      );
    }
    const token = /^Bearer +(.+)$/i.exec(call.headers['authorization'] ?? '')?.[1];
    const principal =
      token === undefined ? undefined : await options.authenticate(token, ['https://vault.azure.net']);
    if (principal === undefined) return challenge(options.authority(), token !== undefined);
    const found = findOperation(call.method, call.url.pathname);
    if (found === undefined) return { ...failure(404, 'NotFound', 'Not found.'), by: principal.clientId };
    const { operation, name } = found;
    if (
      !allows(options.assignments(), principal.objectId, 'dataActions', operation.dataAction, options.vaultId)
    ) {
      const refused = forbiddenByRbac(options.vaultId, name, operation.dataAction, principal);
      return { ...refused, by: principal.clientId };
    }
    const waitSeconds = (operation.name === 'setSecret' ? creations : operations).take(options.now());
    const outcome =
      waitSeconds > 0
        ? throttled(waitSeconds)
        : operation.run({
            ...found,
            store:
              call.method === 'GET' && call.staleByMs > 0
                ? replicaOf(store, ({ id }) => isOlderThan(id, call.staleByMs))
                : store,
            call,
            url: options.url(),
            nowSeconds: seconds(options.now()),
            announce: (secret, added) => {
              writtenAtMs.set(added.id, performance.now());
              options.publish(vaultEvent(options, 'SecretNewVersionCreated', secret, added, options.now()));
            },
          });
    return { ...outcome, by: principal.clientId };
  }

  return {
    service: 'keyvault',
    operation: ({ method, url }) => findOperation(method, url.pathname)?.operation.name ?? 'unknown',
    async handle(call) {
      const outcome = await handle(call);
      return {
        ...outcome,
        resource: findOperation(call.method, call.url.pathname)?.name,
        headers: {
          'cache-control': 'no-cache',
          'x-ms-keyvault-region': 'westeurope',
          'x-ms-request-id': randomUUID(),
          ...outcome.headers,
        },
      };
    },
    setDeleted(name, deleted) {
      const secret = store.find(name);
      if (secret === undefined) return false;
      if (deleted !== (secret.deletedAt !== undefined))
        store.setDeleted(name, deleted ? seconds(options.now()) : undefined);
      return true;
    },
    announceExpiries: () => announceExpiries(options, store, options.now(), options.publish),
  };
}

/** `version` is empty where the path names none. */
function findOperation(
  method: string,
  pathname: string,
): { operation: VaultOperation; name: string; version: string } | undefined {
  for (const operation of vaultOperations) {
    const match = operation.method === method ? operation.route.exec(pathname) : null;
    if (match) return { operation, name: match[1] ?? '', version: match[2] ?? '' };
  }
  return undefined;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
