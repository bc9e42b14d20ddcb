/** The settings with which a Functions host joins the local Azure: ours, or one that is started by hand. */
import { MAX_HOST_BODY_BYTES } from '../body-limits.ts';
import { brokerV1Uri } from './simulated/demo-directory.ts';
import type { RunningAzure } from './simulated/start.ts';

export function brokerSettings(azure: RunningAzure, issuer: string, policy: string): Record<string, string> {
  return {
    BROKER_ISSUER: issuer,
    BROKER_TENANT_ID: azure.entra.tenantId,
    BROKER_CLIENT_ID: azure.entra.brokerClientId,
    // Tokens of managed identities are often v1.0, so the demo takes both.
    BROKER_ACCEPT_V1: 'true',
    BROKER_AUDIENCE_URIS: `${azure.entra.scope.replace(/\/\.default$/, '')} ${brokerV1Uri}`,
    BROKER_POLICY: policy,
    BROKER_KEY_VAULT_URL: azure.keyVault,
    BROKER_TABLES_URL: azure.storage.tables,
    BROKER_ISSUER_IDENTITY: azure.issuerIdentity,
    BROKER_ROTATOR_IDENTITY: azure.rotatorIdentity,
    BROKER_AUTHORITY: azure.entra.authority,
    BROKER_ARM_URL: azure.arm,
    BROKER_GRAPH_URL: azure.graph,
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(MAX_HOST_BODY_BYTES),
    IDENTITY_ENDPOINT: azure.identity.endpoint,
    IDENTITY_HEADER: azure.identity.header,
    NODE_EXTRA_CA_CERTS: azure.ca,
  };
}

/** Settings that the person who starts it has set win: `BROKER_FRESHNESS_SECONDS=5 npm start`. */
export function ownSettings(environment: Readonly<Record<string, string | undefined>>) {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.startsWith('BROKER_') && value !== undefined) own[name] = value;
  }
  return own;
}
