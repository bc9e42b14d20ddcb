/** Everything that can go wrong between an app and the broker, in words and with a code to decide by. */

/** The broker refused, or could not be asked. Holds no token. */
export class BrokerError extends Error {
  declare readonly name: 'BrokerError';
  /** The HTTP status; 0 where there was no answer. */
  declare readonly status: number;
  /**
   * What the broker says: RFC 6749 section 5.2, for example `invalid_target`. Or what the client found:
   * `not_a_broker`, something else answers at `issuer`; `certificate_refused`, its certificate is not trusted.
   * `temporarily_unavailable` is an outage, of the broker or on the way to it, and is the one code worth another try.
   * Of the others only a refusal with `retryAfterSeconds` is: then a caller token that is new enough can be had.
   */
  declare readonly code: string;
  /** What the broker's owner needs to find the exchange in the audit. It is in the message too. */
  declare readonly correlationId: string | undefined;
  /** The claims challenge for the next sign-in. With `interaction_required` the user must take part in it. */
  declare readonly claims: string | undefined;
  declare readonly retryAfterSeconds: number | undefined;

  /** @param answer the members in which a broker says no, or why.ts in its place */
  constructor(status: number, answer: object, retryAfter?: string | null) {
    const { error, error_description, correlation_id, claims } = answer as Record<string, string | undefined>;
    super(`${error}: ${error_description}${correlation_id ? ` (correlation id ${correlation_id})` : ''}`);
    // One call for all, which are declared above: this file is counted in bytes.
    Object.assign(this, {
      name: 'BrokerError',
      status,
      code: error,
      correlationId: correlation_id,
      claims,
      retryAfterSeconds: Number(retryAfter) || undefined,
    });
  }
}

/** The code that is worth another try. */
export const OUTAGE = 'temporarily_unavailable';
