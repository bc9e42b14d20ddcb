/**
 * What Azure answers, as far as the doctor reads it. Everything that a judgement needs may be missing in Azure's
 * answer where it has its initial value, so it is optional here and judged as that value.
 */
import * as z from 'zod';

export const resource = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  tags: z.record(z.string(), z.string()).nullish(),
});
/** https://learn.microsoft.com/rest/api/appservice/web-apps/get */
export const site = z.object({
  id: z.string(),
  name: z.string(),
  identity: z
    .object({
      userAssignedIdentities: z
        .record(z.string(), z.object({ principalId: z.string(), clientId: z.string() }))
        .nullish(),
    })
    .nullish(),
  properties: z.object({
    state: z.string().optional(),
    httpsOnly: z.boolean().optional(),
    virtualNetworkSubnetId: z.string().nullish(),
    functionAppConfig: z.object({
      deployment: z.object({
        storage: z.object({
          value: z.string(),
          authentication: z.object({ userAssignedIdentityResourceId: z.string().nullish() }),
        }),
      }),
    }),
  }),
});
export const appSettings = z.object({ properties: z.record(z.string(), z.string()) });
export const siteFunction = z.object({
  properties: z.object({ name: z.string(), isDisabled: z.boolean().optional() }),
});
/** https://learn.microsoft.com/rest/api/appservice/web-apps/list-deployments: 3 has failed, 4 is in place. */
export const siteDeployment = z.object({
  properties: z.object({
    status: z.number(),
    active: z.boolean().optional(),
    end_time: z.string().nullish(),
  }),
});
export const vault = z.object({
  id: z.string(),
  name: z.string(),
  properties: z.object({
    vaultUri: z.string().optional(),
    enableRbacAuthorization: z.boolean().nullish(),
    enablePurgeProtection: z.boolean().nullish(),
    publicNetworkAccess: z.string().nullish(),
  }),
});
export const storageAccount = z.object({
  name: z.string(),
  id: z.string(),
  properties: z.object({
    allowSharedKeyAccess: z.boolean().nullish(),
    supportsHttpsTrafficOnly: z.boolean().nullish(),
    allowBlobPublicAccess: z.boolean().nullish(),
    publicNetworkAccess: z.string().nullish(),
    networkAcls: z.object({ defaultAction: z.string().nullish() }).nullish(),
  }),
});
/** https://learn.microsoft.com/rest/api/authorization/role-assignments */
export const roleAssignment = z.object({
  properties: z.object({ roleDefinitionId: z.string(), scope: z.string() }),
});
const actions = z.array(z.string()).default([]);
export const roleDefinition = z.object({
  name: z.string(),
  properties: z.object({
    roleName: z.string(),
    permissions: z.array(
      z.object({ actions, notActions: actions, dataActions: actions, notDataActions: actions }),
    ),
  }),
});
export const topic = z.object({
  id: z.string(),
  name: z.string(),
  properties: z.object({
    provisioningState: z.string().nullish(),
    disableLocalAuth: z.boolean().nullish(),
    topicType: z.string().nullish(),
  }),
});
const destination = z.object({
  endpointType: z.string(),
  properties: z.object({ resourceId: z.string().nullish(), queueName: z.string().nullish() }).nullish(),
});
export const eventSubscription = z.object({
  name: z.string(),
  properties: z.object({
    provisioningState: z.string().nullish(),
    destination: destination.nullish(),
    deliveryWithResourceIdentity: z.object({ destination: destination.nullish() }).nullish(),
  }),
});
/** https://learn.microsoft.com/rest/api/monitor/metrics/list */
export const metrics = z.object({
  value: z.array(
    z.object({
      timeseries: z.array(z.object({ data: z.array(z.object({ total: z.number().optional() })) })),
    }),
  ),
});
export const alertRule = z.object({
  name: z.string(),
  properties: z.object({ enabled: z.boolean().optional() }),
});
/** https://learn.microsoft.com/graph/api/resources/application */
const redirects = z.object({ redirectUris: z.array(z.string()).default([]) }).nullish();
export const application = z.object({
  id: z.string(),
  api: z.object({ requestedAccessTokenVersion: z.number().nullish() }).nullish(),
  appRoles: z.array(z.object({ value: z.string().nullish(), isEnabled: z.boolean() })),
  spa: redirects,
  web: redirects,
  publicClient: redirects,
  passwordCredentials: z.array(z.unknown()).default([]),
  keyCredentials: z.array(z.unknown()).default([]),
});
export const federatedCredential = z.object({
  name: z.string(),
  issuer: z.string(),
  subject: z.string().nullish(),
  audiences: z.array(z.string()),
});
