/**
 * How large a request may be. There are two bounds: the Functions host refuses a body over its own bound before it
 * reads any of it, with an empty 500; over the smaller bound of a route our code answers 413 and says why.
 *
 * The host reads a whole body before it calls our code, and makes binding data of every member of a JSON body. So
 * only the host's bound keeps large bodies out of memory. The whole app has one such bound, which must allow:
 *
 * | what | bytes, at most |
 * | --- | --- |
 * | an Entra access token: 200 groups (Entra puts no more into one) of 39 bytes, 60 directory roles of 39, 3,000 for all other claims, times 4/3 for base64url, and 700 for header and signature | 18,200 |
 * | such a token as `verify.ts` accepts it | 24,576 |
 * | the other parameters of an exchange, of which a long `resource` is half | 2,000 |
 * | so a form or JSON body with a token | 26,600 |
 * | an event: a delivery holds one (infra/subscriptions.bicep), the largest comes from the Activity Log and names the groups of who acted, 200 of 37 bytes, beside 4,000 for the rest | 11,400 |
 * | a Security Event Token: a complex subject, a few events, a signature | 4,000 |
 * | an operator's body: a scope and a reason | 1,000 |
 *
 * A whole policy may not fit (a grant has 200 to 400 bytes, so 100 of them fill it): it is then sent gzipped, which the
 * host passes on as it is, and inflated by our code with a bound of its own.
 */

/** The app setting `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`: the power of two above the longest of them. */
export const MAX_HOST_BODY_BYTES = 32_768;

/** `/oauth2/*`: a form or JSON body with a token in it. */
export const MAX_TOKEN_BODY_BYTES = 26_624;
/** The caller's own token. */
export const MAX_CALLER_TOKEN_CHARACTERS = 24_576;
/** `/signals`. */
export const MAX_SIGNAL_BYTES = 16_384;
/** `/operator/*`. */
export const MAX_OPERATOR_BODY_BYTES = 8_192;

/** A body with a policy: as it is sent, and unpacked, where it is sent gzipped. */
export const MAX_POLICY_BODY_BYTES = 26_624;
export const MAX_POLICY_BYTES = 262_144;
/** A policy that is put in force, unpacked: ten thousand resources have some four megabytes. A larger change is a patch. */
export const MAX_APPLIED_POLICY_BYTES = 8_388_608;
