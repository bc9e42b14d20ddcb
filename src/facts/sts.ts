/** Facts about the data plane of Azure AI accounts: how it takes keys, and its key exchange (STS, `issueToken`). */

/**
 * The code of the 403 of an account whose keys are switched off. A 403 without it says nothing about the key: a
 * used-up quota and a network rule are answered with one too. Source: seen in the field, not documented.
 */
export const KEYS_SWITCHED_OFF = 'AuthenticationTypeDisabled';

/** A token is valid for 10 minutes. Source: learn.microsoft.com/azure/ai-services/authentication */
export const STS_LIFE_MS = 600_000;

/**
 * Ours: what a buyer adds to the life when it declares a token before buying it. It covers the timeouts of the
 * calls in between, and a clock of the service that differs from ours.
 */
export const DECLARED_MARGIN_MS = 120_000;

/** From the declaration to the latest moment at which the declared token can live. */
export const MAX_DECLARED_LIFE_MS = STS_LIFE_MS + DECLARED_MARGIN_MS;
