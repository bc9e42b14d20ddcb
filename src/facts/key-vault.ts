/** Facts about Azure Key Vault and those who read secrets from it. */

/**
 * App Service and Functions read a Key Vault reference without a version again within 24 hours.
 * Source: learn.microsoft.com/azure/app-service/app-service-key-vault-references#understand-rotation
 */
export const MAX_REFERENCE_AGE_MS = 24 * 3_600_000;

/**
 * `SecretNearExpiry` is published 30 days before a secret expires.
 * Source: learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
export const NEAR_EXPIRY_MS = 30 * 86_400_000;
