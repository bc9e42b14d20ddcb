/**
 * The composition root of the rotator app, which nobody can call: timers and queues start it. It alone changes keys and
 * secrets. It is built when the app starts or the first function is invoked. Building it makes no outside call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createAccounts } from './azure/accounts.ts';
import { createAnnouncements } from './azure/announcements.ts';
import { createAuditRows } from './azure/audit-rows.ts';
import { createDemandStore } from './azure/demand-table.ts';
import { createEventStore } from './azure/event-store.ts';
import { createDirectory } from './azure/graph.ts';
import { createIdentities } from './azure/identities.ts';
import { createKeyProof } from './azure/key-proof.ts';
import { createLedger, sweepLedger } from './azure/ledger.ts';
import { createSweepOperations } from './azure/operation-table.ts';
import { createPauses } from './azure/pause-table.ts';
import { createPlanWriter } from './azure/plan-table.ts';
import { createPolicyStore } from './azure/policy-store.ts';
import { createProof } from './azure/proof-append.ts';
import { BLOBS_SCOPE, createProofReader } from './azure/proof-blob.ts';
import { createRevocationReader } from './azure/revocation-reader.ts';
import { createRevocationTable } from './azure/revocation-store.ts';
import { createPublishedRows, createRotationStore } from './azure/rotation-store.ts';
import { createRows, TABLES_SCOPE } from './azure/rows.ts';
import { createState } from './azure/state.ts';
import { createSts } from './azure/sts.ts';
import { createTables } from './azure/tables.ts';
import { createBooks } from './azure/usage-table.ts';
import { createVault } from './azure/vault-writer.ts';
import { coalesce } from './coalesce.ts';
import { type RotatorConfig, readPolicyFile, readRotationSchedule, readRotatorConfig } from './config.ts';
import { createCarryOut } from './demand/carry-out.ts';
import { nameOf } from './demand/named.ts';
import { createLog } from './log.ts';
import { createAnnouncer } from './policy/announce.ts';
import { createCurrentPolicy } from './policy/current.ts';
import { compileVersion, type PolicyVersion, shortVersion } from './policy/version.ts';
import { closeBooks } from './record/close.ts';
import { createWatch } from './revocation/watch.ts';
import { createPace } from './rotation/pace.ts';
import { createRotation } from './rotation/rotate.ts';
import { reaction, tick } from './telemetry/reaction.ts';
import { closingLag, measuredHistory, rotationSpan, watchedPlans } from './telemetry/rotation-seams.ts';
import { measuredLog } from './telemetry/seams.ts';
import { startTelemetry } from './telemetry/start.ts';
import { uuid7 } from './uuid7.ts';

/** What the functions call. */
export type Rotator = ReturnType<typeof build>;

let built: Rotator | undefined;

/** @throws ConfigError or PolicyError with every problem; the app then fails every time it is started */
export function rotator(): Rotator {
  built ??= build(readRotatorConfig(process.env));
  return built;
}

/** The schedule for the timer trigger, which is registered before the app is built. */
export function rotationSchedule(): string {
  return readRotationSchedule(process.env);
}

/** A demand or an operation that is over stays to be read for so long, and longer where a legal hold keeps it. */
const KEEP_DEMANDS_MS = 90 * 86_400_000;
/** One run of closing ends within its minute, and what it did not reach is for the next one. */
const CLOSING_MS = 45_000;

function build(config: RotatorConfig) {
  const clock = () => Date.now();
  const elapsedMs = () => performance.now();
  const plainLog = createLog();
  const telemetry = startTelemetry({
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    share: config.BROKER_TRACE_SHARE,
    service: 'azure-ai-token-broker-rotator',
    instance: crypto.randomUUID(),
    log: plainLog,
    later: (ms, work) => void setTimeout(work, ms).unref(),
  });
  const log = measuredLog(plainLog);
  const packaged = compileVersion(readPolicyFile(config.BROKER_POLICY));

  const identities = createIdentities();
  const identity = config.BROKER_ROTATOR_IDENTITY;
  const credential = identities.credential(identity);
  const tokenFor = (scope: string) => async () => (await identities.token(scope, identity)).token;

  const tables = createTables(config.BROKER_TABLES_URL, credential);
  const rows = createRows(config.BROKER_TABLES_URL, () => identities.token(TABLES_SCOPE, identity), clock);
  const state = createState(tables, rows, createRevocationReader(tables, clock));

  const policies = createPolicyStore(tables);
  const announcements = createAnnouncements(tables);
  const announce = createAnnouncer(announcements, crypto.randomUUID(), clock, log);
  const current = createCurrentPolicy(policies, packaged, ({ version }) =>
    log('policy_in_force', { version: shortVersion(version), packaged: version === packaged.version }),
  );
  const pace = createPace(elapsedMs, sleep);
  const directory = createDirectory(config.BROKER_GRAPH_URL, tokenFor(config.BROKER_GRAPH_SCOPE));
  const demands = createDemandStore(tables);
  const sweepOperations = createSweepOperations(tables);
  const proofReader = createProofReader(
    config.BROKER_BLOBS_URL,
    () => identities.token(BLOBS_SCOPE, identity),
    clock,
  );
  const books = {
    audit: createAuditRows(tables),
    proof: createProof(config.BROKER_BLOBS_URL, credential, proofReader),
    books: createBooks(tables),
    keep: { auditDays: config.BROKER_AUDIT_DAYS, holdFromMs: config.BROKER_HOLD_FROM },
    clock,
    log,
  };
  const store = createRotationStore(tables);
  const plans = createPlanWriter(tables);
  const rotationPorts = {
    vault: createVault(config.BROKER_KEY_VAULT_URL, credential),
    accounts: createAccounts(config.BROKER_ARM_URL, tokenFor(config.BROKER_ARM_SCOPE)),
    proof: createKeyProof(createSts(clock)),
    store: { ...store, record: measuredHistory(store.record) },
    published: createPublishedRows(tables),
    ledger: createLedger(tables),
    head: state,
    plans: { ...plans, write: watchedPlans(plans.write) },
    pauses: createPauses(tables),
    clock,
    elapsedMs,
    log,
    within: rotationSpan,
  };

  /** What works under one version of the policy. */
  function under({ version, policy }: PolicyVersion) {
    // Another version is another driver: what still works under the one before keeps its own leases.
    const instance = crypto.randomUUID();
    const rotation = createRotation(rotationPorts, policy.resources, instance, pace, config.BROKER_HAND_BACK);
    const watch = createWatch({
      policy: () => policy,
      homeTenantId: config.BROKER_TENANT_ID,
      rotatorClientId: identity,
      freshnessMs: config.BROKER_FRESHNESS_SECONDS * 1000,
      table: createRevocationTable(tables),
      events: createEventStore(tables),
      head: state,
      sweepLedger: sweepLedger(tables),
      directory,
      keys: rotation,
      now: clock,
      log,
    });
    const carryOut = createCarryOut({
      store: demands,
      retireNow: async (demand, request) => {
        const resource = nameOf(demand, policy.resources);
        const retired = await rotation.retireNow(resource, request);
        await rotation.tellPlan(resource);
        return retired;
      },
      progress: (demand) => rotation.becameOf(nameOf(demand, policy.resources), demand),
      now: clock,
      elapsedMs,
      log,
    });
    return { version, rotation, watch, carryOut };
  }
  let latest: ReturnType<typeof under> | undefined;
  /** As the pointer says. Before an issuer has put the packaged policy in force, it is the same one here. */
  const look = coalesce<undefined, ReturnType<typeof under>>(async () => {
    announce();
    const pointer = await policies.pointer();
    const rules = await current.read(pointer?.version ?? packaged.version);
    if (latest?.version !== rules.version) latest = under(rules);
    return latest;
  });
  const inForce = () => look(undefined);
  const traced = <T>(name: string, work: () => Promise<T>) => tick(name, uuid7(clock()), work);

  return {
    /** A lost message costs a demand a few minutes, because each tick reads those that are open. */
    rotate: () =>
      traced('rotate', async () => {
        const sinceMs = elapsedMs();
        const { rotation, carryOut } = await inForce();
        try {
          await carryOut.open();
        } finally {
          try {
            await rotation.tick(sinceMs);
          } finally {
            await carryOut.finish();
          }
        }
      }),
    demand: (message: unknown) => traced('demand', async () => (await inForce()).carryOut.told(message)),
    react: (event: unknown) =>
      reaction(event, uuid7(clock()), async () => (await inForce()).watch.react(event)),
    flush: telemetry.flush,
    /** Under no version of the policy: a record means what it says. */
    close: async () => {
      const sinceMs = elapsedMs();
      const { closed, removed, behind } = await closeBooks({
        ...books,
        isOver: () => elapsedMs() - sinceMs > CLOSING_MS,
      });
      closingLag(behind);
      if (behind > 0 || removed > 0) log('record_closed', { closed, removed, behind });
    },
    reconcile: async () => {
      const before = Math.min(clock() - KEEP_DEMANDS_MS, config.BROKER_HOLD_FROM ?? Number.POSITIVE_INFINITY);
      try {
        await demands.sweep(before);
        await sweepOperations(before);
        await announcements.sweep(clock());
      } finally {
        await (await inForce()).watch.reconcile();
      }
    },
  };
}
