/**
 * `POST /sts/v1.0/issueToken`: an account key for a token of ten minutes, as bare text.
 * https://learn.microsoft.com/azure/ai-services/authentication
 */
import { type AccountHost, checkKey, gatewayError, header, notFound } from './accounts-gateway.ts';
import { createBucket } from './bucket.ts';
import type { Call, Outcome } from './service.ts';
import { issueStsToken, takesStsTokens } from './sts-token.ts';

export const issueTokenPath = '/sts/v1.0/issueToken';

/** Refused keys an account's host answers with 401 before it answers 429. The real number is not published. */
const badKeys = { capacity: 30, refillPerSecond: 5 };

export function createSts(host: AccountHost): (call: Call) => Outcome {
  const refusals = createBucket(badKeys.capacity, badKeys.refillPerSecond);
  return (call) => {
    const account = host.accounts.find(host.name);
    if (account === undefined || call.method !== 'POST') return notFound(host.form);
    const check = checkKey(host, account, header(call, 'ocp-apim-subscription-key'));
    if ('refused' in check) {
      const waitSeconds = refusals.take(host.now());
      return waitSeconds === 0 ? check.refused : tooManyRefusals(host, waitSeconds, check.refused);
    }
    // A kind without key exchange knows its key, but not this path.
    if (!takesStsTokens(account.kind)) return { ...notFound(host.form), keyFingerprint: check.fingerprint };
    return {
      status: 200,
      headers: { 'content-type': 'application/jwt; charset=us-ascii' },
      body: issueStsToken(host, account, check.fingerprint),
      keyFingerprint: check.fingerprint,
    };
  };
}

function tooManyRefusals(host: AccountHost, waitSeconds: number, refused: Outcome): Outcome {
  const busy = gatewayError(host.form, 429, `Rate limit is exceeded. Try again in ${waitSeconds} seconds.`);
  return {
    ...busy,
    headers: { ...busy.headers, 'retry-after': String(waitSeconds) },
    keyFingerprint: refused.keyFingerprint,
  };
}
