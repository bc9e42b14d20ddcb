/**
 * The composition root: the only file that joins the capabilities to the adapters. Built when the first
 * function is invoked, so that loading the app costs nothing and throws nothing.
 */
import { readFileSync } from 'node:fs';
import type { HttpResponseInit } from '@azure/functions';
import { createAudit } from './audit/audit.ts';
import { createAuditTable } from './azure/audit-table.ts';
import { createEntraTokens } from './azure/entra-tokens.ts';
import { createIdentities } from './azure/identities.ts';
import { createIssuedTokens, createLedger } from './azure/ledger.ts';
import { createSigningKeys } from './azure/signing-keys.ts';
import { createState } from './azure/state.ts';
import { createSts } from './azure/sts.ts';
import { createTables } from './azure/tables.ts';
import { createVault } from './azure/vault.ts';
import { type Config, readConfig } from './config.ts';
import { createExchange } from './exchange/exchange.ts';
import { createFreshness } from './exchange/freshness.ts';
import { createObtain } from './exchange/obtain.ts';
import { createRate } from './exchange/rate.ts';
import { createTokens } from './exchange/tokens.ts';
import { rememberVerified } from './exchange/verified.ts';
import { createVerifyCaller } from './exchange/verify.ts';
import { metadata } from './http/metadata.ts';
import { createTokenEndpoint, type TokenEndpoint } from './http/token-endpoint.ts';
import { createLog } from './log.ts';
import { loadPolicy } from './policy/load.ts';
import { compilePolicy } from './policy/match.ts';
import { revokedBy } from './revocation/decision.ts';
import { scopeKey } from './revocation/scope.ts';
import { UpstreamFailure } from './upstream.ts';

export interface Broker {
  readonly token: TokenEndpoint;
  readonly metadata: Record<string, unknown>;
  readonly health: () => Promise<HttpResponseInit>;
}

let built: Broker | undefined;

/** @throws ConfigError, PolicyError with every problem; the app then answers nothing but 500 */
export function broker(): Broker {
  built ??= build(readConfig(process.env));
  return built;
}

function build(config: Config): Broker {
  const clock = () => Date.now();
  const instance = crypto.randomUUID();
  const log = createLog();
  const policy = loadPolicy(readFileSync(config.BROKER_POLICY, 'utf8'));
  const compiled = compilePolicy(policy);
  const minimumLifeMs = config.BROKER_MINIMUM_LIFE_SECONDS * 1000;

  const identities = createIdentities();
  const asIssuer = () => identities.credential(config.BROKER_ISSUER_IDENTITY);
  const tables = createTables(config.BROKER_TABLES_URL, asIssuer);
  const state = createState(tables);
  const issued = createIssuedTokens(tables);
  const freshness = createFreshness(state, clock, config.BROKER_FRESHNESS_SECONDS * 1000);
  const verify = rememberVerified(
    createVerifyCaller({
      keys: createSigningKeys(config.BROKER_AUTHORITY, clock),
      clock,
      clientId: config.BROKER_CLIENT_ID,
      audienceUris: config.BROKER_AUDIENCE_URIS,
      acceptV1: config.BROKER_ACCEPT_V1,
      isAllowedTenant: (tenantId) => compiled.tenantName(tenantId) !== undefined,
    }),
    clock,
  );
  const obtain = createObtain({
    vault: createVault(config.BROKER_KEY_VAULT_URL, asIssuer),
    sts: createSts(clock),
    ledger: createLedger(tables),
    slotsNow: async (resource) => (await freshness.now()).slots.get(resource),
    entra: createEntraTokens({
      authority: config.BROKER_AUTHORITY,
      tenantId: config.BROKER_TENANT_ID,
      clientId: config.BROKER_CLIENT_ID,
      issuerIdentity: config.BROKER_ISSUER_IDENTITY,
      federationScope: config.BROKER_FEDERATION_SCOPE,
      identities,
      clock,
    }),
    issued,
    clock,
    instance,
  });
  const exchange = createExchange({
    policy: compiled,
    verify,
    freshness,
    revokedBy,
    isDropped: (revocations, sha256) =>
      revocations.size > 0 && revocations.has(scopeKey({ kind: 'issued', sha256 })),
    tokens: createTokens(obtain, clock, minimumLifeMs),
    takeFromRate: createRate(),
    audit: createAudit(createAuditTable(tables, clock, instance)),
    clock,
    instance,
    minimumLifeMs,
  });

  return {
    token: createTokenEndpoint({ exchange, clock, log }),
    metadata: metadata(config),
    health: async () => {
      try {
        await freshness.fresh();
        return { jsonBody: { status: 'ok' } };
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error;
        return {
          status: 503,
          headers: { 'retry-after': '5' },
          jsonBody: { status: 'unavailable', service: error.service },
        };
      }
    },
  };
}
