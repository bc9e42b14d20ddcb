/** Facts about Microsoft Entra ID and managed identities. */

/**
 * App-only and on-behalf-of tokens live 60 to 90 minutes, at random.
 * Source: learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime
 */
export const MIN_TOKEN_LIFE_MS = 60 * 60_000;
export const MAX_TOKEN_LIFE_MS = 90 * 60_000;

/**
 * A managed identity's token lives for 24 hours, and the platform returns the same one until it has nearly expired.
 * Source: learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations
 */
export const MANAGED_IDENTITY_LIFE_MS = 24 * 3_600_000;

/**
 * The longest life of an access token is 28 hours. Only tokens for continuous access evaluation live so long.
 * Source: learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation
 */
export const MAX_CALLER_TOKEN_LIFE_MS = 28 * 3_600_000;

/**
 * Signing keys change without a schedule. So they are refreshed every hour, keys that were fetched more than a day ago
 * are not trusted, and unknown key ids cause at most one refresh in five minutes.
 * Source: learn.microsoft.com/entra/identity-platform/signing-key-rollover
 */
export const REFRESH_SIGNING_KEYS_MS = 3_600_000;
export const TRUST_SIGNING_KEYS_MS = 24 * 3_600_000;
export const UNKNOWN_SIGNING_KEY_COOLDOWN_MS = 300_000;

/**
 * How `uti`, a token's identifier, and the pairwise `sub` are written: base64url, 22 and 43 characters in public
 * captures, as is the GUID of a `sub` of an application. Both are case-sensitive.
 * Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export const IDENTIFIER = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Facets in `xms_act_fct` and `xms_sub_fct`: an agent identity, and a user account of an agent.
 * Source: learn.microsoft.com/entra/agent-id/agent-token-claims
 */
export const AGENT_FACET = '11';
export const AGENT_USER_FACET = '13';
