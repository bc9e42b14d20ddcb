/** Starts the simulated Azure: every service on its own loopback port, on one virtual clock. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DEVELOPMENT_ACCOUNT } from '../../facts/storage.ts';
import type { Clock } from '../../ports.ts';
import { accountSignature } from '../account-signature.ts';
import { createAccounts } from './accounts.ts';
import { createAccountHost } from './accounts-host.ts';
import { createArm } from './arm.ts';
import { storageId, vaultId } from './broker-roles.ts';
import { createClocks } from './clocks.ts';
import { serveControl, type VirtualTime } from './control.ts';
import * as demo from './demo-directory.ts';
import { createDirectory, type ManagedIdentity } from './directory.ts';
import { createEntra } from './entra.ts';
import { createEntraKeys } from './entra-keys.ts';
import { apiOf, applicationSubject, createTokenIssuer } from './entra-tokens.ts';
import { createAuthenticate, createVerifyAccessToken } from './entra-verify.ts';
import { createEventQueue } from './event-queue.ts';
import { createEventSender } from './events.ts';
import { createFaults, type Faults } from './faults.ts';
import { createGraph } from './graph.ts';
import { createIdentity } from './identity.ts';
import { createKeyVault } from './keyvault.ts';
import { accountSecret } from './keyvault-seed.ts';
import type { Served } from './listen.ts';
import { createRequestLog, type RequestLog } from './requests.ts';
import { createServe, type Endpoint } from './service.ts';
import { serveStorage } from './storage.ts';
import { createStorageGate } from './storage-access.ts';
import type { StorageService } from './storage-operation.ts';
import { createTls } from './tls.ts';
import type { ResourceDescription, TransmitterDescription, World } from './world.ts';

export interface AzureOptions {
  readonly world: World;
  /** `default`: the well-known ports where they are free. */
  readonly ports: 'default' | 'any';
  /** Exists already, or is created. What the simulated services keep is here, and is there at the next start. */
  readonly dataFolder: string;
  /** Virtual time in milliseconds. */
  readonly now: () => number;
  log(line: string): void;
  /** Azurite's own addresses, for the doors before it; empty while it has none. */
  azurite(): Readonly<Record<StorageService, string>>;
  readonly clock: VirtualTime;
  /** Where the console is open: known once the broker listens. */
  consoleUrls(): readonly string[];
}

export interface RunningAzure {
  /** Absolute path of the certificate authority's PEM file, and its text. */
  readonly ca: string;
  readonly caPem: string;
  readonly entra: {
    readonly authority: string;
    /** The same over plain http, for browsers: they would warn of a certificate of this machine's own. */
    readonly browserAuthority: string;
    readonly consoleClientId: string;
    readonly tenantId: string;
    readonly otherTenantId: string;
    readonly brokerClientId: string;
    readonly scope: string;
    readonly operatorScope: string;
  };
  readonly keyVault: string;
  readonly arm: string;
  readonly graph: string;
  /** Azurite's tables for a person's tools: plain, with the published development key. With the account's path. */
  readonly tables: string;
  /** The storage account as the apps meet it: TLS, Entra tokens, roles. With the account's path. */
  readonly storage: Readonly<Record<StorageService, string>>;
  /** With the header of each app. */
  readonly identity: {
    readonly endpoint: string;
    readonly headers: Readonly<Record<'issuer' | 'rotator', string>>;
  };
  readonly control: string;
  readonly callers: readonly demo.DemoCaller[];
  readonly resources: readonly ResourceDescription[];
  /** Who may push signals; `POST /entra/sign` of the control service signs for them. */
  readonly transmitters: readonly TransmitterDescription[];
  /** The policy of this world, as JSON. */
  readonly policy: object;
  /** Client ids of the broker's two identities. */
  readonly issuerIdentity: string;
  readonly rotatorIdentity: string;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Virtual time has moved by other means than the control service. */
  onClock(): void;
  close(): Promise<void>;
}

const wellKnown = {
  browserEntra: 7100,
  entra: 7101,
  keyVault: 7102,
  arm: 7103,
  tables: 7104,
  control: 7105,
  identity: 7106,
  graph: 7107,
  storageTables: 7108,
  storageQueues: 7109,
  storageBlobs: 7110,
};
const firstAccountPort = 7111;
/** How often the vault looks for secrets near their end, in wall time. */
const expiryLookMs = 1000;

export async function startAzure(options: AzureOptions): Promise<RunningAzure> {
  const { now, log, world } = options;
  const { homeTenantId } = world.directory;
  const dataFolder = resolve(options.dataFolder);
  await mkdir(dataFolder, { recursive: true });
  const tls = createTls();
  const ca = join(dataFolder, 'ca.pem');
  await writeFile(ca, tls.ca);

  const faults = createFaults();
  const requests = createRequestLog();
  const fabric = { tls, faults, requests, now, log };
  const serve = createServe(fabric);
  const running: Served[] = [];
  const port = (wanted: number) => (options.ports === 'default' ? wanted : 0);
  const started = async (served: Promise<Served>) => {
    running.push(await served);
    return (await served).url;
  };
  const start = (endpoint: Omit<Endpoint, 'port'>, wanted: number) =>
    started(serve({ ...endpoint, port: port(wanted) }));

  // A service names its own address in its answers, and has it only once it listens.
  const urls = { entra: '', keyVault: '', graph: '' };
  const accountUrls = new Map<string, { endpoint: string; regionalEndpoint: string }>();
  const authority = () => urls.entra;

  const clocks = createClocks(now, options.clock);
  const directory = createDirectory(world.directory, dataFolder);
  const keys = createEntraKeys(dataFolder);
  const entraClock = clocks.of('entra');
  const issue = createTokenIssuer({ keys, directory, authority, now: entraClock, random: Math.random });
  const verifyBy = (clock: Clock) => createVerifyAccessToken({ keys, directory, authority, now: clock });
  const authenticateBy = (clock: Clock) => createAuthenticate(verifyBy(clock), homeTenantId);
  const withoutRoles = new Set<string>();
  // Not those of the storage account: without them nothing of an app works, which a fault of `tables` shows.
  const assignments = () =>
    withoutRoles.size === 0
      ? world.roleAssignments
      : world.roleAssignments.filter(
          ({ principalId, scope }) => !withoutRoles.has(principalId) || scope.includes('/storageAccounts/'),
        );
  const setRoles = (name: string, assigned: boolean): boolean => {
    const identity = [demo.issuerIdentity, demo.rotatorIdentity].find((one) => one.name === name);
    if (identity === undefined) return false;
    if (assigned) withoutRoles.delete(identity.principalId);
    else withoutRoles.add(identity.principalId);
    return true;
  };
  const signature = accountSignature();
  const events = createEventSender({
    queue: createEventQueue({ faults, requests, now, queues: () => options.azurite().queues, signature }),
    now,
  });
  const { publish } = events;
  const accounts = createAccounts({
    dataFolder,
    specs: world.accounts,
    tenantId: homeTenantId,
    now,
    armClock: clocks.of('arm'),
    publish,
  });
  const seed = world.accounts.flatMap(({ name, secret }) => {
    const account = accounts.created.find((one) => one.name === name);
    return secret && account ? [[secret, accountSecret(accounts, account, now())] as const] : [];
  });
  const vault = createKeyVault({
    dataFolder,
    vaultId,
    authority: () => `${urls.entra}/${homeTenantId}`,
    url: () => urls.keyVault,
    authenticate: authenticateBy(clocks.of('keyvault')),
    assignments,
    now: clocks.of('keyvault'),
    publish,
    seed: new Map(seed),
  });

  const entra = createEntra({
    directory,
    keys,
    issue,
    verify: verifyBy(entraClock),
    authority,
    redirectUris: options.consoleUrls,
    now: entraClock,
  });
  urls.entra = await start(entra, wellKnown.entra);
  const browserAuthority = await start({ ...entra, plain: true }, wellKnown.browserEntra);
  urls.keyVault = await start(vault, wellKnown.keyVault);
  const graphClock = clocks.of('graph');
  const graph = { directory, verify: verifyBy(graphClock), url: () => urls.graph, now: graphClock };
  urls.graph = await start(createGraph(graph), wellKnown.graph);
  const endpointOf = (name: string) => accountUrls.get(name)?.endpoint ?? '';
  const armClock = clocks.of('arm');
  const byArm = { authenticate: authenticateBy(armClock), now: armClock };
  const arm = await start(createArm({ accounts, assignments, endpointOf, ...byArm }), wellKnown.arm);
  const headerOf = () => randomUUID().replaceAll('-', '').toUpperCase();
  const headers = { issuer: headerOf(), rotator: headerOf() };
  const isRotator = ({ clientId }: ManagedIdentity): boolean => clientId === demo.rotatorIdentity.clientId;
  // The issuer app carries what the policy names, beside its own.
  const apps = new Map([
    [headers.issuer, (one: ManagedIdentity) => !isRotator(one)],
    [headers.rotator, isRotator],
  ]);
  const identity = await start(
    createIdentity({ directory, issue, apps, now: clocks.of('identity') }),
    wellKnown.identity,
  );
  const gate = { verify: verifyBy(now), assignments, accountId: storageId, now };
  const storage = (service: StorageService, wanted: number) =>
    started(
      serveStorage(fabric, {
        service,
        port: port(wanted),
        azurite: () => options.azurite()[service],
        gate: createStorageGate(service, gate),
        signature: () => signature,
      }),
    );
  const tables = await started(
    serveStorage(fabric, {
      service: 'tables',
      port: port(wellKnown.tables),
      azurite: () => options.azurite().tables,
    }),
  );
  const storageTables = await storage('tables', wellKnown.storageTables);
  const storageQueues = await storage('queues', wellKnown.storageQueues);
  const storageBlobs = await storage('blobs', wellKnown.storageBlobs);
  let accountPort = firstAccountPort;
  const gateway = {
    accounts,
    authenticate: authenticateBy(now),
    assignments,
    now,
    tokenClock: clocks.of('sts'),
  };
  for (const { name } of world.accounts) {
    const host = (form: 'custom' | 'regional') =>
      start(createAccountHost({ name, form, ...gateway }), accountPort++);
    accountUrls.set(name, { endpoint: await host('custom'), regionalEndpoint: await host('regional') });
  }

  const onClock = () => {
    vault.announceExpiries();
    events.wake();
  };
  const goodClaims = () =>
    issue(demo.brokerUri, applicationSubject(world.goodCaller, '1', apiOf(directory, demo.brokerUri))).claims;
  const control = await started(
    serveControl({
      port: port(wellKnown.control),
      faults,
      requests,
      events,
      accounts,
      vault,
      directory,
      keys,
      clock: options.clock,
      clocks,
      goodClaims,
      setRoles,
      onClock,
      log,
    }),
  );
  const resources = world.accounts.map((account) => ({
    ...account,
    endpoint: '',
    regionalEndpoint: '',
    ...accountUrls.get(account.name),
  }));
  const looking = setInterval(vault.announceExpiries, expiryLookMs).unref();

  return {
    ca,
    caPem: tls.ca,
    entra: {
      authority: urls.entra,
      browserAuthority,
      consoleClientId: demo.consoleClientId,
      tenantId: homeTenantId,
      otherTenantId: world.otherTenantId,
      brokerClientId: demo.brokerClientId,
      scope: `${demo.brokerUri}/.default`,
      operatorScope: `${demo.brokerUri}/Broker.Operate`,
    },
    keyVault: urls.keyVault,
    arm,
    graph: urls.graph,
    tables: `${tables}/${DEVELOPMENT_ACCOUNT}`,
    storage: {
      tables: `${storageTables}/${DEVELOPMENT_ACCOUNT}`,
      queues: `${storageQueues}/${DEVELOPMENT_ACCOUNT}`,
      blobs: `${storageBlobs}/${DEVELOPMENT_ACCOUNT}`,
    },
    identity: { endpoint: `${identity}/msi/token`, headers },
    control,
    callers: world.callers,
    resources,
    policy: world.policy(resources, urls.entra, now()),
    transmitters: world.transmitters(urls.entra),
    issuerIdentity: demo.issuerIdentity.clientId,
    rotatorIdentity: demo.rotatorIdentity.clientId,
    faults,
    requests,
    onClock,
    async close() {
      clearInterval(looking);
      events.close();
      await Promise.all(running.map((served) => served.close()));
    },
  };
}
