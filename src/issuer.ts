/**
 * The composition root of the issuer app, which anybody can call. What is joined here is all that code in this app can
 * touch: nothing in it lists or changes a key or writes to the vault (invariant 11), and the linter keeps it so. The
 * app is built when it starts or the first function is invoked. Building it makes no outside call.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountKey, slotsOf } from './account-key.ts';
import { createAudit } from './audit/audit.ts';
import { createStrangers } from './audit/strangers.ts';
import { createAnnouncements } from './azure/announcements.ts';
import { createAuditRowReader } from './azure/audit-rows.ts';
import { createAuditReader, createAuditSpan, createAuditTable } from './azure/audit-table.ts';
import { createDemandBook } from './azure/demand-table.ts';
import { createEmergencyMark } from './azure/emergency-mark.ts';
import { createEntraTokens } from './azure/entra-tokens.ts';
import { createEventStore, createIsHandled } from './azure/event-store.ts';
import { createIdentities } from './azure/identities.ts';
import { createIssuedTokens, createLedger } from './azure/ledger.ts';
import { createOperationBook } from './azure/operation-table.ts';
import { createPauses } from './azure/pause-table.ts';
import { createPlanReader } from './azure/plan-table.ts';
import { createPolicyStore } from './azure/policy-store.ts';
import { BLOBS_SCOPE, createProofReader } from './azure/proof-blob.ts';
import { createQueue, QUEUES_SCOPE } from './azure/queue.ts';
import { createRevocationReader } from './azure/revocation-reader.ts';
import { createRevocationTable } from './azure/revocation-store.ts';
import { createRows, TABLES_SCOPE } from './azure/rows.ts';
import { createSigningKeys } from './azure/signing-keys.ts';
import { createState } from './azure/state.ts';
import { createSts } from './azure/sts.ts';
import { createTables } from './azure/tables.ts';
import { createTransmitterKeys } from './azure/transmitter-keys.ts';
import { createBooksReader } from './azure/usage-table.ts';
import { createVaultReader, openVault } from './azure/vault.ts';
import { type IssuerConfig, readIssuerConfig, readPolicyFile } from './config.ts';
import { createPlace } from './demand/place.ts';
import { createConfirmations } from './exchange/confirmations.ts';
import { createExchange } from './exchange/exchange.ts';
import { createFreshness, type Seen } from './exchange/freshness.ts';
import { createObtain } from './exchange/obtain.ts';
import { createRate } from './exchange/rate.ts';
import { createRecorded } from './exchange/recorded-requests.ts';
import { createTokens } from './exchange/tokens.ts';
import { rememberVerified } from './exchange/verified.ts';
import { createVerifyCaller } from './exchange/verify.ts';
import { createCors } from './http/cors.ts';
import { createHealthEndpoint } from './http/health.ts';
import { createIntrospectionEndpoint } from './http/introspection.ts';
import { metadata } from './http/metadata.ts';
import { createAccountRoutes } from './http/operator/accounts.ts';
import { createAuditRoutes } from './http/operator/audit.ts';
import { createEventRoutes } from './http/operator/events.ts';
import { createExplainEndpoint } from './http/operator/explain.ts';
import type { Gate } from './http/operator/gate.ts';
import { createOperationRoutes } from './http/operator/operations.ts';
import { createPolicyRoutes } from './http/operator/policy.ts';
import { createRecordRoutes } from './http/operator/record.ts';
import { createRevocationRoutes } from './http/operator/revocations.ts';
import { createWhatIfEndpoint } from './http/operator/what-if.ts';
import { createRevocationEndpoint } from './http/revocation.ts';
import { createSecurityEventEndpoint } from './http/security-events.ts';
import { createTokenEndpoint } from './http/token-endpoint.ts';
import { iso } from './iso.ts';
import { createLog } from './log.ts';
import { type ApplyPolicy, createApplyPolicy } from './operations/apply-policy.ts';
import { createFollow } from './operations/follow.ts';
import { createPerform } from './operations/perform.ts';
import { createAnnouncer } from './policy/announce.ts';
import { createCurrentPolicy, readVersion, startWith } from './policy/current.ts';
import { compileVersion, type PolicyVersion, shortVersion } from './policy/version.ts';
import { policyWarnings } from './policy/warnings.ts';
import type { Log } from './ports.ts';
import type { QueueName } from './queue-names.ts';
import { minutesBehind } from './record/settled.ts';
import { OPERATOR_SCOPE } from './revocation/admit.ts';
import { isDropped, refusing, revokedBy } from './revocation/decision.ts';
import { createRevocation } from './revocation/revocation.ts';
import { createPlanned } from './rotation/planned.ts';
import { reaction } from './telemetry/reaction.ts';
import { batched, counted, matching, measuredLog, spanned } from './telemetry/seams.ts';
import { startTelemetry } from './telemetry/start.ts';
import { uuid7 } from './uuid7.ts';

/** What the functions call. */
export type Issuer = ReturnType<typeof build>;

/** A page of an export ends then, with whole minutes. */
const EXPORT_PAGE_MS = 8_000;

let built: Issuer | undefined;

/** @throws ConfigError or PolicyError with every problem; the app then answers every request with 500 */
export function issuer(): Issuer {
  built ??= build(readIssuerConfig(process.env));
  return built;
}

function build(config: IssuerConfig) {
  const clock = () => Date.now();
  const instance = crypto.randomUUID();
  // `unref`: a timer must not keep a process alive that is told to end.
  const later = (ms: number, work: () => void): void => void setTimeout(work, ms).unref();
  const plainLog = createLog();
  const telemetry = startTelemetry(telemetryOptions(config, instance, plainLog, later));
  const log = measuredLog(plainLog);
  const packaged = compileVersion(readPolicyFile(config.BROKER_POLICY));
  const minimumLifeMs = config.BROKER_MINIMUM_LIFE_SECONDS * 1000;
  const freshnessMs = config.BROKER_FRESHNESS_SECONDS * 1000;

  const identities = createIdentities();
  const identity = config.BROKER_ISSUER_IDENTITY;

  const tables = createTables(config.BROKER_TABLES_URL, identities.credential(identity));
  const rows = createRows(config.BROKER_TABLES_URL, () => identities.token(TABLES_SCOPE, identity), clock);
  const tableState = createState(tables, rows, createRevocationReader(tables, clock));
  const state = { ...tableState, version: counted('headReads', tableState.version) };
  const issued = createIssuedTokens(tables);
  const ledger = createLedger(tables);
  const sts = createSts(clock);
  const policies = createPolicyStore(tables);
  const announcements = createAnnouncements(tables);
  const announce = createAnnouncer(announcements, instance, clock, log);
  let isFirst = true;
  const current = createCurrentPolicy(policies, packaged, (now) => {
    const isPackaged = now.version === packaged.version;
    log('policy_in_force', { version: shortVersion(now.version), packaged: isPackaged });
    // Whoever deploys another file may believe that it changes something.
    if (isFirst && !isPackaged)
      log('policy_warning', {
        warning: `the file in the package (${shortVersion(packaged.version)}) is not the policy in force: it counts only where none ever was`,
      });
    isFirst = false;
    for (const warning of policyWarnings(now.policy)) log('policy_warning', { warning });
  });
  const rulesOf = async (version: string | undefined) => {
    announce();
    const rules = await current.read(version ?? (await startWith(packaged, policies, iso(clock()))));
    return { ...rules, compiled: matching(rules.compiled) };
  };
  const looks = createFreshness(state, rulesOf, clock, freshnessMs);
  const freshness = {
    ...looks,
    now: spanned('freshness', counted('headLooks', looks.now)),
    fresh: spanned('freshness', counted('headLooks', looks.fresh)),
  };
  /** Only for what happens after a look at the shared state. */
  const rules = (): PolicyVersion => {
    const seen = freshness.known();
    if (seen === undefined) throw new Error('the policy is used before the shared state was looked at');
    return seen.rules;
  };
  const isAllowedTenant = async (tenantId: string): Promise<boolean> => {
    const allowedBy = (seen: Seen | undefined) => seen?.rules.compiled.tenantName(tenantId) !== undefined;
    if (allowedBy(freshness.known())) return true;
    // A cold instance loads what the look needs while it waits for the token of its identity.
    tables('state').catch(() => undefined);
    return allowedBy(await freshness.fresh());
  };
  const verifyAnew = createVerifyCaller({
    keys: createSigningKeys(config.BROKER_AUTHORITY, clock),
    clock,
    clientId: config.BROKER_CLIENT_ID,
    audienceUris: config.BROKER_AUDIENCE_URIS,
    homeTenantId: config.BROKER_TENANT_ID,
    acceptV1: config.BROKER_ACCEPT_V1,
    isAllowedTenant,
  });
  const remembered = rememberVerified(counted('callerMisses', verifyAnew), clock);
  const verify = spanned('verify', counted('callerLookups', remembered));

  const obtain = createObtain({
    vault: createVaultReader(openVault(config.BROKER_KEY_VAULT_URL, identities.credential(identity))),
    sts,
    ledger,
    slotsNow: async (resource) => slotsOf((await freshness.now()).slots, resource),
    entra: createEntraTokens({
      authority: config.BROKER_AUTHORITY,
      tenantId: config.BROKER_TENANT_ID,
      clientId: config.BROKER_CLIENT_ID,
      issuerIdentity: identity,
      federationScope: config.BROKER_FEDERATION_SCOPE,
      identityToken: identities.token,
      clock,
    }),
    issued,
    clock,
    sleep: (ms) => sleep(ms),
    instance,
  });
  const commit = createAudit(batched(createAuditTable(rows, clock, instance)));
  const audit = { append: spanned('audit', commit.append) };
  const strangers = createStrangers({
    append: audit.append,
    clock,
    instance,
    later,
    log,
  });
  const mint = spanned('mint', obtain, ({ kind, resource }) => ({
    'broker.token_kind': kind,
    'broker.resource': resource.name,
  }));
  const cached = createTokens(mint, clock, minimumLifeMs, sleep);
  const tokens = {
    held: counted('tokenLookups', cached.held),
    bought: counted('tokenMisses', cached.bought),
  };
  const exchange = createExchange({
    verify,
    freshness,
    revokedBy,
    isDropped,
    tokens,
    rate: createRate(),
    audit,
    refusedStranger: strangers.refused,
    clock,
    instance,
    minimumLifeMs,
  });

  const queue = (name: QueueName) =>
    createQueue(config.BROKER_QUEUES_URL, name, () => identities.token(QUEUES_SCOPE, identity), clock);
  const demands = createDemandBook(tables);
  const place = createPlace({
    book: demands,
    mark: createEmergencyMark(tables, state),
    queue: queue('demands'),
    freshnessMs,
    sleep: (ms) => sleep(ms),
    log,
  });
  const pauses = createPauses(tables);
  const planned = createPlanned(
    createPlanReader(tables),
    pauses,
    ledger,
    () => rules().policy.resources,
    clock,
  );

  const directory = {
    // Loaded when a transmitter or an operator first names a user; nothing else here asks Microsoft Graph.
    user: async (name: string) => {
      const { createDirectory } = await import('./azure/graph.ts');
      const token = async () => (await identities.token(config.BROKER_GRAPH_SCOPE, identity)).token;
      return createDirectory(config.BROKER_GRAPH_URL, token).user(name);
    },
  };
  const revocation = createRevocation({
    policy: () => rules().policy,
    homeTenantId: config.BROKER_TENANT_ID,
    entraIssuers: [config.BROKER_AUTHORITY, 'https://login.microsoftonline.com', 'https://sts.windows.net'],
    freshnessMs,
    table: createRevocationTable(tables),
    events: createEventStore(tables),
    head: state,
    issued,
    directory,
    transmitterKeys: createTransmitterKeys(clock),
    toRotator: queue('events'),
    isHandled: createIsHandled(rows),
    verify,
    snapshot: freshness.now,
    known: freshness.known,
    mayHave: (caller, resource, kind) => {
      const { compiled } = rules();
      const target = compiled.target(resource);
      return target !== undefined && compiled.options(caller, target.resource, kind).length > 0;
    },
    now: clock,
    sleep: (ms) => sleep(ms),
    log,
  });
  const { admit } = revocation;
  const gate: Gate = { admit, clock, audit, refusedStranger: strangers.refused, instance };
  const book = createOperationBook(tables);
  const perform = createPerform({ book, audit, clock, newId: uuid7, instance });
  const follow = createFollow({ book, demand: demands.find, steps: planned.stepsSince, clock });
  const readSpan = createAuditSpan(tables);
  const books = createBooksReader(tables);
  const blobsToken = () => identities.token(BLOBS_SCOPE, identity);
  const behind = async (): Promise<number | undefined> => {
    const cursor = await books.cursor();
    return cursor && minutesBehind(cursor.value.minute, clock());
  };
  const applyPolicy = createApplyPolicy({
    store: policies,
    announcements,
    head: state,
    freshnessMs,
    clock,
    sleep: (ms) => sleep(ms),
  });
  const apply: ApplyPolicy = (change, mayGoOn) =>
    applyPolicy(change, (next) => {
      current.prepare(next);
      return mayGoOn(next);
    });

  /** Most instances are never asked for it, so its code is read when it first is. */
  const openConsole = async () => {
    const { createConsole } = await import('./http/console.ts');
    return createConsole({
      clientId: config.BROKER_CONSOLE_CLIENT_ID,
      authority: config.BROKER_CONSOLE_AUTHORITY ?? config.BROKER_AUTHORITY,
      tenantId: config.BROKER_TENANT_ID,
      scope: `api://${config.BROKER_CLIENT_ID}/${OPERATOR_SCOPE}`,
      read: (name) => readFile(join(config.BROKER_CONSOLE_FILES, name)),
    });
  };
  let opened: ReturnType<typeof openConsole> | undefined;

  return {
    cors: createCors(config.BROKER_CORS_ORIGINS),
    console: () => {
      opened ??= openConsole();
      return opened;
    },
    token: createTokenEndpoint({ exchange, clock, log }),
    introspect: createIntrospectionEndpoint({
      admit,
      issued: revocation.issued,
      issuer: config.BROKER_ISSUER,
      endpointOf: (resource) => rules().compiled.target(resource)?.endpoint,
    }),
    revoke: createRevocationEndpoint({ admit, issued: revocation.issued }),
    signal: createSecurityEventEndpoint(async (token) => {
      await freshness.now();
      return revocation.signal(token);
    }),
    operator: {
      ...createAccountRoutes({
        gate,
        perform,
        planned,
        pauses,
        place,
        rotated: (resource) => {
          const found = rules().policy.resources.find(({ name }) => name === resource);
          return found?.secret === undefined || found.rotation === undefined
            ? undefined
            : accountKey(found.accountId);
        },
      }),
      ...createOperationRoutes({ gate, follow }),
      ...createRevocationRoutes({
        gate,
        perform,
        operate: revocation.operate,
        homeTenantId: config.BROKER_TENANT_ID,
        directory,
      }),
      ...createEventRoutes({ gate, operate: revocation.operate }),
      ...createAuditRoutes({
        gate,
        clock,
        readAudit: createAuditReader(tables),
        recordedAs: (resource) => rules().compiled.recordedAs(resource),
      }),
      ...createRecordRoutes({
        gate,
        clock,
        readers: {
          audit: createAuditRowReader(tables),
          proof: createProofReader(config.BROKER_BLOBS_URL, blobsToken, clock),
          books,
        },
        pageTime: () => {
          const begunMs = performance.now();
          return () => performance.now() - begunMs > EXPORT_PAGE_MS;
        },
      }),
      ...createPolicyRoutes({
        gate,
        store: policies,
        apply,
        snapshot: freshness.now,
        recorded: createRecorded(readSpan, clock),
        confirmationsNeeded: createConfirmations(config.BROKER_TENANT_ID),
      }),
    },
    explain: createExplainEndpoint({
      gate,
      clock,
      policyOf: (version) => readVersion(policies, version),
      revocations: { revokedBy, refusing },
      snapshot: freshness.now,
      readSpan,
    }),
    whatIf: createWhatIfEndpoint({ gate, readSpan }),
    react: (event: unknown) =>
      reaction(event, uuid7(clock()), async () => {
        await freshness.now();
        return revocation.react(event);
      }),
    flush: telemetry.flush,
    metadata: metadata(config),
    health: createHealthEndpoint({ snapshot: freshness.fresh, overdue: planned.overdue, behind, clock }),
  };
}

function telemetryOptions(
  { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, BROKER_TRACE_SHARE: share }: IssuerConfig,
  instance: string,
  log: Log,
  later: (ms: number, work: () => void) => void,
) {
  return { endpoint, share, service: 'azure-ai-token-broker-issuer', instance, log, later };
}
