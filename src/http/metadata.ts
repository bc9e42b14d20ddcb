import type { IssuerConfig } from '../config.ts';

/**
 * RFC 8414. The issuer is a setting, because the caller chooses the Host header. Section 2 requires
 * `response_types_supported`, and section 3.2 forbids an empty array. This server has no response types: `none`.
 */
export function metadata(
  config: Pick<IssuerConfig, 'BROKER_ISSUER' | 'BROKER_FRESHNESS_SECONDS'>,
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
    // The registry that section 2 names for revocation has no value for a bearer token. "none" would be wrong, and
    // without the member the default is client_secret_basic, which is wrong too.
    revocation_endpoint_auth_methods_supported: ['Bearer'],
    /** An extension of ours: for how many seconds after a revocation has returned an exchange may still succeed. */
    revocation_freshness_seconds: config.BROKER_FRESHNESS_SECONDS,
  };
}
