/** Everything that can go wrong between an app and the broker, in words and with a code to decide by. */

/** The broker refused, or could not be asked. Holds no token. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /**
   * What the broker says: RFC 6749 section 5.2, for example `invalid_target`. Or what the client found:
   * `not_a_broker`, something else answers at `issuer`; `certificate_refused`, its certificate is not trusted.
   * `temporarily_unavailable` is an outage, of the broker or on the way to it, and is the one code worth another try.
   * Of the others only a refusal with `retryAfterSeconds` is: then a caller token that is new enough can be had.
   */
  readonly code: string;
  /** What the broker's owner needs to find the exchange in the audit. It is in the message too. */
  readonly correlationId: string | undefined;
  /** The claims challenge for the next sign-in. With `interaction_required` the user must take part in it. */
  readonly claims: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, answer: Record<string, unknown>, retryAfter: string | null = null) {
    const code = text(answer['error']) ?? 'temporarily_unavailable';
    const correlationId = text(answer['correlation_id']);
    const description = text(answer['error_description']) ?? 'the broker gave no description';
    super(
      `${code}: ${description}${correlationId === undefined ? '' : ` (correlation id ${correlationId})`}`,
    );
    this.status = status;
    this.code = code;
    this.correlationId = correlationId;
    this.claims = text(answer['claims']);
    this.retryAfterSeconds = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
  }
}

type OwnCode = 'temporarily_unavailable' | 'not_a_broker' | 'certificate_refused';
const own = (code: OwnCode, description: string, status = 0, retryAfter: string | null = null): BrokerError =>
  new BrokerError(status, { error: code, error_description: description }, retryAfter);

const AUTHORITY =
  'is of an authority that this process does not trust; in Node NODE_EXTRA_CA_CERTS names the file of one more';
/** What Node says of a connection that failed: https://nodejs.org/api/errors.html and, of TLS, those of OpenSSL. */
const FAULTS: Readonly<Record<string, readonly [OwnCode, string]>> = {
  ECONNREFUSED: ['temporarily_unavailable', 'nothing listens there'],
  ENOTFOUND: ['temporarily_unavailable', 'its host name is not known'],
  EAI_AGAIN: ['temporarily_unavailable', 'its host name cannot be looked up now'],
  EHOSTUNREACH: ['temporarily_unavailable', 'its host cannot be reached'],
  ENETUNREACH: ['temporarily_unavailable', 'its network cannot be reached'],
  ETIMEDOUT: ['temporarily_unavailable', 'its host does not answer'],
  UND_ERR_CONNECT_TIMEOUT: ['temporarily_unavailable', 'its host does not answer'],
  ECONNRESET: ['temporarily_unavailable', 'the connection was cut'],
  UND_ERR_SOCKET: ['temporarily_unavailable', 'the connection was cut'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['certificate_refused', AUTHORITY],
  SELF_SIGNED_CERT_IN_CHAIN: ['certificate_refused', AUTHORITY],
  UNABLE_TO_GET_ISSUER_CERT: ['certificate_refused', AUTHORITY],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['certificate_refused', AUTHORITY],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['certificate_refused', AUTHORITY],
  CERT_UNTRUSTED: ['certificate_refused', AUTHORITY],
  CERT_HAS_EXPIRED: ['certificate_refused', 'has expired, or the clock of this machine is wrong'],
  CERT_NOT_YET_VALID: ['certificate_refused', 'is not valid yet, or the clock of this machine is wrong'],
  CERT_REVOKED: ['certificate_refused', 'is revoked'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['certificate_refused', 'is of another host name'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['not_a_broker', 'no TLS is spoken there'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['not_a_broker', 'no TLS is spoken there'],
  EPROTO: ['not_a_broker', 'no TLS is spoken there'],
};

/** A request that got no whole answer. What was thrown is not repeated: it may quote what was sent. */
export function notReached(at: string, thrown: unknown, timeoutMs: number): BrokerError {
  if (thrown instanceof Error && thrown.name === 'TimeoutError')
    return own('temporarily_unavailable', `the broker at ${at} did not answer within ${timeoutMs} ms`);
  const code = codeOf(thrown) ?? (thrown instanceof Error ? codeOf(thrown.cause) : undefined);
  const [kind, words] = (code === undefined ? undefined : FAULTS[code]) ?? [];
  if (kind === undefined || code === undefined)
    return own(
      'temporarily_unavailable',
      `the broker at ${at} was not reached, and a browser does not tell why: it may be down, the address wrong, its certificate not trusted, or this page's origin not among its BROKER_CORS_ORIGINS`,
    );
  if (kind === 'certificate_refused') return own(kind, `the certificate of ${at} ${words} (${code})`);
  if (kind === 'not_a_broker')
    return own(kind, `no broker is at ${at}: ${words} (${code}); check the issuer`);
  return own(kind, `the broker at ${at} was not reached: ${words} (${code})`);
}

/** An answer that a broker does not give. */
export function notFromBroker(at: string, response: Response): BrokerError {
  const { status, type } = response;
  // A gateway before the broker, or its host while it starts, answers in its own words.
  if (status >= 500 || status === 429)
    return own(
      'temporarily_unavailable',
      `${at} answers ${status}, not in the broker's words: its host or a gateway before it is out of order`,
      status,
      response.headers.get('retry-after'),
    );
  const what =
    type === 'opaqueredirect' || (status >= 300 && status < 400)
      ? 'with a redirect'
      : `${status}, not as a broker does`;
  return own('not_a_broker', `no broker is at ${at}: it answers ${what}; check the issuer`, status);
}

export function issuerIsNoUrl(): BrokerError {
  return own(
    'not_a_broker',
    'the issuer is no URL: it is the address of the broker, such as https://broker.example.com',
  );
}

function codeOf(thrown: unknown): string | undefined {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? text(thrown.code) : undefined;
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
