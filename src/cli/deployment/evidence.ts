/** What was seen of a deployment. Judging it needs nothing else. */
import type * as z from 'zod';
import type { AppName } from '../../settings.ts';
import type { Looked } from './check.ts';
import type {
  alertRule,
  application,
  eventSubscription,
  federatedCredential,
  roleDefinition,
  site,
  siteDeployment,
  siteFunction,
  storageAccount,
  topic,
  vault,
} from './shapes.ts';

export type PerApp<What> = Readonly<Record<AppName, What>>;

/** The identity that an app acts as, and where its host has its storage. */
export interface App {
  readonly id: string;
  readonly name: string;
  readonly state: string | undefined;
  readonly httpsOnly: boolean;
  readonly inNetwork: boolean;
  readonly clientId: string;
  readonly principalId: string;
  /** Carried beside its own. */
  readonly otherIdentities: readonly string[];
  /** The name of a storage account. */
  readonly hostStorage: string;
}
export type Site = z.infer<typeof site>;
export type SiteFunction = z.infer<typeof siteFunction>['properties'];
export type SiteDeployment = z.infer<typeof siteDeployment>['properties'];
export type Vault = z.infer<typeof vault>;
export type StorageAccount = z.infer<typeof storageAccount>;
export type RoleDefinition = z.infer<typeof roleDefinition>;
export type AlertRule = z.infer<typeof alertRule>;
export type Application = z.infer<typeof application>;
export type FederatedCredential = z.infer<typeof federatedCredential>;

export interface Assignment {
  readonly scope: string;
  readonly role: Looked<RoleDefinition>;
}
export interface Topic extends z.infer<typeof topic> {
  readonly kind: 'own' | 'vault' | 'activity';
  readonly subscriptions: Looked<readonly z.infer<typeof eventSubscription>[]>;
  /** In the last seven days. */
  readonly deadLetters: Looked<number>;
}
export interface Registration {
  readonly clientId: string;
  readonly application: Application;
  readonly trusts: Looked<readonly FederatedCredential[]>;
}

export interface Evidence {
  /** As every name of this environment begins: `broker-dev`. */
  readonly prefix: string;
  readonly authority: string;
  readonly apps: PerApp<Looked<App>>;
  readonly settings: PerApp<Looked<Readonly<Record<string, string>>>>;
  readonly functions: PerApp<Looked<readonly SiteFunction[]>>;
  readonly deployments: PerApp<Looked<readonly SiteDeployment[]>>;
  readonly assignments: PerApp<Looked<readonly Assignment[]>>;
  readonly vaults: Looked<readonly Vault[]>;
  readonly storage: Looked<readonly StorageAccount[]>;
  /** ARM ids of Application Insights. */
  readonly components: readonly string[];
  readonly topics: Looked<readonly Topic[]>;
  readonly logAlerts: Looked<readonly AlertRule[]>;
  readonly metricAlerts: Looked<readonly AlertRule[]>;
  readonly registration: Looked<Registration>;
  /** ARM ids of the AI accounts whose keys are rotated. */
  readonly rotated: Looked<readonly string[]>;
  /** Versions of the policy: of the file at hand, and in force at the broker. */
  readonly policy: { readonly here: Looked<string>; readonly there: Looked<string> };
  /** How many messages could not be used in the last seven days. */
  readonly poison: Looked<number>;
}
