/**
 * The composition root: the only file that joins the capabilities to the adapters. The broker is built when the app
 * starts or the first function is invoked. Building it makes no outside call.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { slotsOf } from './account-key.ts';
import { createAudit } from './audit/audit.ts';
import { createStrangers } from './audit/strangers.ts';
import { createAccounts } from './azure/accounts.ts';
import { createAuditReader, createAuditTable } from './azure/audit-table.ts';
import { createEntraTokens } from './azure/entra-tokens.ts';
import { createEventStore } from './azure/event-store.ts';
import { createDirectory } from './azure/graph.ts';
import { createIdentities } from './azure/identities.ts';
import { createKeyProof } from './azure/key-proof.ts';
import { createIssuedTokens, createLedger, sweepLedger } from './azure/ledger.ts';
import { createRevocationTable } from './azure/revocation-store.ts';
import { createPublishedRows, createRotationStore } from './azure/rotation-store.ts';
import { createRows, TABLES_SCOPE } from './azure/rows.ts';
import { createSigningKeys } from './azure/signing-keys.ts';
import { createState } from './azure/state.ts';
import { createSts } from './azure/sts.ts';
import { createTables } from './azure/tables.ts';
import { createTransmitterKeys } from './azure/transmitter-keys.ts';
import { createVault } from './azure/vault.ts';
import { type Config, ConfigError, readConfig, readRotationSchedule } from './config.ts';
import { createExchange } from './exchange/exchange.ts';
import { createFreshness } from './exchange/freshness.ts';
import { createObtain } from './exchange/obtain.ts';
import { createRate } from './exchange/rate.ts';
import { createTokens } from './exchange/tokens.ts';
import { rememberVerified } from './exchange/verified.ts';
import { createVerifyCaller } from './exchange/verify.ts';
import { createCors } from './http/cors.ts';
import { createHealthEndpoint } from './http/health.ts';
import { createIntrospectionEndpoint } from './http/introspection.ts';
import { metadata } from './http/metadata.ts';
import { createOperatorEndpoints } from './http/operators.ts';
import { createRevocationEndpoint } from './http/revocation.ts';
import { createSecurityEventEndpoint } from './http/security-events.ts';
import { createTokenEndpoint } from './http/token-endpoint.ts';
import { createLog } from './log.ts';
import { loadPolicy } from './policy/load.ts';
import { compilePolicy } from './policy/match.ts';
import { policyWarnings } from './policy/warnings.ts';
import { isDropped, revokedBy } from './revocation/decision.ts';
import { createRevocation } from './revocation/revocation.ts';
import { createPace } from './rotation/pace.ts';
import { createRotation } from './rotation/rotate.ts';

/** What the functions call. */
export type Broker = ReturnType<typeof build>;

let built: Broker | undefined;

/** @throws ConfigError or PolicyError with every problem; the app then answers every request with 500 */
export function broker(): Broker {
  built ??= build(readConfig(process.env));
  return built;
}

/** The schedule for the timer trigger, which is registered before the broker is built. */
export function rotationSchedule(): string {
  return readRotationSchedule(process.env);
}

function build(config: Config) {
  const clock = () => Date.now();
  const elapsedMs = () => performance.now();
  const instance = crypto.randomUUID();
  const log = createLog();
  const policy = loadPolicy(readPolicy(config.BROKER_POLICY));
  for (const warning of policyWarnings(policy)) log('policy_warning', { warning });
  const compiled = compilePolicy(policy);
  const minimumLifeMs = config.BROKER_MINIMUM_LIFE_SECONDS * 1000;
  const freshnessMs = config.BROKER_FRESHNESS_SECONDS * 1000;

  // Two identities: one reads secrets and tables, the other lists and regenerates keys and writes secrets.
  const identities = createIdentities();
  const issuer = config.BROKER_ISSUER_IDENTITY;
  const rotator = config.BROKER_ROTATOR_IDENTITY;
  const tokenFor = (identity: string, scope: string) => async () =>
    (await identities.token(scope, identity)).token;

  const tables = createTables(config.BROKER_TABLES_URL, identities.credential(issuer));
  const rows = createRows(config.BROKER_TABLES_URL, () => identities.token(TABLES_SCOPE, issuer), clock);
  const state = createState(tables, rows);
  const issued = createIssuedTokens(tables);
  const ledger = createLedger(tables);
  const sts = createSts(clock);
  const freshness = createFreshness(state, clock, freshnessMs);
  const verify = rememberVerified(
    createVerifyCaller({
      keys: createSigningKeys(config.BROKER_AUTHORITY, clock),
      clock,
      clientId: config.BROKER_CLIENT_ID,
      audienceUris: config.BROKER_AUDIENCE_URIS,
      homeTenantId: config.BROKER_TENANT_ID,
      acceptV1: config.BROKER_ACCEPT_V1,
      isAllowedTenant: (tenantId) => compiled.tenantName(tenantId) !== undefined,
    }),
    clock,
  );

  const obtain = createObtain({
    vault: createVault(config.BROKER_KEY_VAULT_URL, identities.credential(issuer)),
    sts,
    ledger,
    slotsNow: async (resource) => slotsOf((await freshness.now()).slots, resource),
    entra: createEntraTokens({
      authority: config.BROKER_AUTHORITY,
      tenantId: config.BROKER_TENANT_ID,
      clientId: config.BROKER_CLIENT_ID,
      issuerIdentity: issuer,
      federationScope: config.BROKER_FEDERATION_SCOPE,
      identityToken: identities.token,
      clock,
    }),
    issued,
    clock,
    sleep: (ms) => sleep(ms),
    instance,
  });
  const audit = createAudit(createAuditTable(rows, clock, instance));
  const strangers = createStrangers({
    append: audit.append,
    clock,
    instance,
    // `unref`: the timer must not keep a process alive that is told to end.
    later: (ms, work) => void setTimeout(work, ms).unref(),
    log,
  });
  const exchange = createExchange({
    policy: compiled,
    verify,
    freshness,
    revokedBy,
    isDropped,
    tokens: createTokens(obtain, clock, minimumLifeMs, sleep),
    rate: createRate(),
    audit,
    refusedStranger: strangers.refused,
    clock,
    instance,
    minimumLifeMs,
  });

  const rotation = createRotation(
    {
      vault: createVault(config.BROKER_KEY_VAULT_URL, identities.credential(rotator)),
      accounts: createAccounts(config.BROKER_ARM_URL, tokenFor(rotator, config.BROKER_ARM_SCOPE)),
      proof: createKeyProof(sts),
      store: createRotationStore(tables),
      published: createPublishedRows(tables),
      ledger,
      head: state,
      clock,
      elapsedMs,
      log,
    },
    policy.resources,
    instance,
    createPace(elapsedMs, sleep),
  );

  const revocation = createRevocation({
    policy,
    homeTenantId: config.BROKER_TENANT_ID,
    rotatorClientId: rotator,
    entraIssuers: [config.BROKER_AUTHORITY, 'https://login.microsoftonline.com', 'https://sts.windows.net'],
    freshnessMs,
    table: createRevocationTable(tables),
    events: createEventStore(tables),
    head: state,
    issued,
    sweepLedger: sweepLedger(tables),
    directory: createDirectory(config.BROKER_GRAPH_URL, tokenFor(issuer, config.BROKER_GRAPH_SCOPE)),
    transmitterKeys: createTransmitterKeys(clock),
    keys: rotation,
    verify,
    snapshot: freshness.now,
    mayHave: (caller, resource, kind) => {
      const target = compiled.target(resource);
      return target !== undefined && compiled.options(caller, target.resource, kind).length > 0;
    },
    now: clock,
    newId: () => crypto.randomUUID(),
    log,
  });
  const { admit } = revocation;

  return {
    cors: createCors(config.BROKER_CORS_ORIGINS),
    token: createTokenEndpoint({ exchange, clock, log }),
    introspect: createIntrospectionEndpoint({
      admit,
      issued: revocation.issued,
      issuer: config.BROKER_ISSUER,
      endpointOf: (resource) => compiled.target(resource)?.endpoint,
    }),
    revoke: createRevocationEndpoint({ admit, issued: revocation.issued }),
    signal: createSecurityEventEndpoint(revocation.signal),
    operator: createOperatorEndpoints({
      admit,
      operate: revocation.operate,
      readAudit: createAuditReader(tables),
      recordedAs: compiled.recordedAs,
      clock,
      rotation,
      rotates: (resource) =>
        policy.resources.some(({ name, rotation }) => name === resource && rotation !== undefined),
    }),
    react: revocation.react,
    reconcile: revocation.reconcile,
    rotation,
    metadata: metadata(config),
    health: createHealthEndpoint({ snapshot: freshness.fresh, overdue: rotation.overdue, clock }),
  };
}

function readPolicy(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new ConfigError(`BROKER_POLICY: ${file} cannot be read (${code})`);
  }
}
