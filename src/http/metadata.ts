import type { Config } from '../config.ts';

/**
 * RFC 8414. The issuer is a setting: the Host header is the caller's to choose. `response_types_supported` is
 * required by section 2 and may not be empty by section 3.2; a token-only server has none, so it says `none`.
 */
export function metadata(
  config: Pick<Config, 'BROKER_ISSUER' | 'BROKER_FRESHNESS_SECONDS'>,
): Record<string, unknown> {
  const issuer = config.BROKER_ISSUER;
  return {
    issuer,
    token_endpoint: `${issuer}/oauth2/token`,
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    service_documentation: `${issuer}/openapi.json`,
    response_types_supported: ['none'],
    grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'],
    token_endpoint_auth_methods_supported: ['none'],
    introspection_endpoint_auth_methods_supported: ['Bearer'],
    // The registry that section 2 names for revocation has no word for a bearer token; "none" would be untrue, and so
    // would be the default when the member is absent, client_secret_basic.
    revocation_endpoint_auth_methods_supported: ['Bearer'],
    /** Extension: how long after a revocation's call has returned an exchange may still succeed. */
    revocation_freshness_seconds: config.BROKER_FRESHNESS_SECONDS,
  };
}
