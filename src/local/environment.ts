/** The settings with which a Functions host joins the local Azure: ours, or one that is started by hand. */
import { MAX_HOST_BODY_BYTES } from '../body-limits.ts';
import { issuerSettings, rotatorSettings } from '../settings.ts';
import { brokerV1Uri } from './simulated/demo-directory.ts';
import type { RunningAzure } from './simulated/start.ts';

export const APPS = ['issuer', 'rotator'] as const;
export type AppName = (typeof APPS)[number];
export type Settings = Readonly<Record<string, string>>;

/** @param consoleFiles the folder with what the console's page loads */
export function appSettings(
  azure: RunningAzure,
  issuer: string,
  policy: string,
  consoleFiles: string,
): Record<AppName, Settings> {
  const shared = {
    BROKER_TENANT_ID: azure.entra.tenantId,
    BROKER_POLICY: policy,
    BROKER_KEY_VAULT_URL: azure.keyVault,
    BROKER_TABLES_URL: azure.storage.tables,
    BROKER_BLOBS_URL: azure.storage.blobs,
    BROKER_GRAPH_URL: azure.graph,
    IDENTITY_ENDPOINT: azure.identity.endpoint,
    NODE_EXTRA_CA_CERTS: azure.ca,
  };
  return {
    issuer: {
      ...shared,
      IDENTITY_HEADER: azure.identity.headers.issuer,
      BROKER_ISSUER: issuer,
      BROKER_CLIENT_ID: azure.entra.brokerClientId,
      // Tokens of managed identities are often v1.0, so the demo takes both.
      BROKER_ACCEPT_V1: 'true',
      BROKER_AUDIENCE_URIS: `${azure.entra.scope.replace(/\/\.default$/, '')} ${brokerV1Uri}`,
      BROKER_QUEUES_URL: azure.storage.queues,
      BROKER_ISSUER_IDENTITY: azure.issuerIdentity,
      BROKER_AUTHORITY: azure.entra.authority,
      BROKER_CONSOLE_FILES: consoleFiles,
      BROKER_CONSOLE_CLIENT_ID: azure.entra.consoleClientId,
      BROKER_CONSOLE_AUTHORITY: azure.entra.browserAuthority,
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(MAX_HOST_BODY_BYTES),
    },
    rotator: {
      ...shared,
      IDENTITY_HEADER: azure.identity.headers.rotator,
      BROKER_ROTATOR_IDENTITY: azure.rotatorIdentity,
      BROKER_ARM_URL: azure.arm,
      BROKER_QUEUES__queueServiceUri: azure.storage.queues,
      BROKER_QUEUES__credential: 'managedidentity',
      BROKER_QUEUES__clientId: azure.rotatorIdentity,
    },
  };
}

/** Settings that the person who starts it has set win, in the app that knows them: `BROKER_FRESHNESS_SECONDS=5 npm start`. */
export function ownSettings(
  app: AppName,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const own: Record<string, string> = {};
  for (const name of Object.keys((app === 'issuer' ? issuerSettings : rotatorSettings).shape)) {
    const value = environment[name];
    if (value !== undefined) own[name] = value;
  }
  return own;
}
