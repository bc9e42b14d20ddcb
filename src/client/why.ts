/**
 * What is said of an exchange that the broker did not answer. Loaded when it is first needed: most programs, and above
 * all most pages, never do.
 */
const OUTAGE = 'temporarily_unavailable';
const CERTIFICATE = 'certificate_refused';
const NO_BROKER = 'not_a_broker';

type Code = typeof OUTAGE | typeof CERTIFICATE | typeof NO_BROKER;
/** In the members in which a broker says it. */
export type Why = { readonly error: Code; readonly error_description: string };
const why = (error: Code, error_description: string): Why => ({ error, error_description });

/**
 * What Node says of a connection that failed, by a part of its code: https://nodejs.org/api/errors.html and, of TLS,
 * those of OpenSSL. Parts of codes rather than each of them, since a browser loads this too and hears none of them.
 */
const FAULTS: readonly (readonly [codes: RegExp, kind: Code, words: string])[] = [
  [/REFUSED/, OUTAGE, 'nothing listens there'],
  [/NOTFOUND/, OUTAGE, 'its host name is not known'],
  [/EAI/, OUTAGE, 'its host name cannot be looked up now'],
  [/UNREACH/, OUTAGE, 'its host cannot be reached'],
  [/TIMED?OUT/, OUTAGE, 'its host does not answer'],
  [/RESET|SOCKET/, OUTAGE, 'the connection was cut'],
  [/EXPIRED/, CERTIFICATE, 'has expired, or the clock of this machine is wrong'],
  [/YET/, CERTIFICATE, 'is not valid yet, or the clock of this machine is wrong'],
  [/REVOKED/, CERTIFICATE, 'is revoked'],
  [/ALTNAME/, CERTIFICATE, 'is of another host name'],
  [
    /SIGNED|ISSUER|SIGNATURE|UNTRUSTED/,
    CERTIFICATE,
    'is of an authority that this process does not trust; in Node NODE_EXTRA_CA_CERTS names the file of one more',
  ],
  [/SSL|EPROTO/, NO_BROKER, 'no TLS is spoken there'],
];

/**
 * @param response an answer that a broker does not give; absent: there was no whole answer
 * @param thrown is not repeated: it may quote what was sent
 */
export function whyNot(
  issuer: string,
  response: Response | undefined,
  thrown: unknown,
  timeoutMs: number,
): Why {
  if (!URL.canParse(issuer)) return why(NO_BROKER, NO_URL);
  // Without user and password, which an address may hold and a message must not.
  const at = new URL(issuer).origin;
  return response ? notFromBroker(at, response) : notReached(at, thrown, timeoutMs);
}

function notReached(at: string, thrown: unknown, timeoutMs: number): Why {
  if (thrown instanceof Error && thrown.name === 'TimeoutError')
    return why(OUTAGE, `the broker at ${at} did not answer within ${timeoutMs} ms`);
  const code = codeOf(thrown) ?? codeOf((thrown as Error | undefined)?.cause) ?? '';
  const [, kind, words] = FAULTS.find(([codes]) => codes.test(code)) ?? [];
  if (kind === undefined)
    return why(
      OUTAGE,
      `the broker at ${at} was not reached, and a browser does not tell why: it may be down, the address wrong, its certificate not trusted, or this page's origin not among its BROKER_CORS_ORIGINS`,
    );
  if (kind === CERTIFICATE) return why(kind, `the certificate of ${at} ${words} (${code})`);
  if (kind === NO_BROKER) return notThere(at, `${words} (${code})`);
  return why(kind, `the broker at ${at} was not reached: ${words} (${code})`);
}

function notFromBroker(at: string, { status, type }: Response): Why {
  // A gateway before the broker, or its host while it starts, answers in its own words.
  if (status >= 500 || status === 429)
    return why(
      OUTAGE,
      `${at} answers ${status}, not in the broker's words: its host or a gateway before it is out of order`,
    );
  const isRedirect = type === 'opaqueredirect' || (status >= 300 && status < 400);
  return notThere(at, `it answers ${isRedirect ? 'with a redirect' : `${status}, not as a broker does`}`);
}

const notThere = (at: string, words: string): Why =>
  why(NO_BROKER, `no broker is at ${at}: ${words}; check the issuer`);

const NO_URL = 'the issuer is no URL: it is the address of the broker, such as https://broker.example.com';

function codeOf(thrown: unknown): string | undefined {
  const { code } = (thrown ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
