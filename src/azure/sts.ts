/**
 * The key exchange of an Azure AI account: `POST {host}/sts/v1.0/issueToken` with the key in a header. The answer is
 * the token as plain text. https://learn.microsoft.com/azure/ai-services/authentication
 */
import * as z from 'zod';
import { KEYS_SWITCHED_OFF, STS_LIFE_MS } from '../facts/sts.ts';
import type { Clock, IssuedToken, Sts } from '../ports.ts';
import { Secret } from '../secret.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { errorCode, failed, fetchText } from './fetch.ts';

const COMPACT = /^[\w=-]+\.([\w=-]+)\.[\w=-]+$/;
/** The token is read but not verified: only Microsoft has the key, and its `alg` is not one that JOSE defines. */
const claims = z.object({ exp: z.number() });

export function createSts(clock: Clock): Sts {
  return {
    issue: (host, key) =>
      call('sts', 'issueToken', async (signal) => {
        const askedAtMs = clock();
        const answer = await fetchText('sts', `${host}/sts/v1.0/issueToken`, {
          method: 'POST',
          headers: {
            'ocp-apim-subscription-key': key.reveal(),
            'content-type': 'application/x-www-form-urlencoded',
          },
          signal,
        });
        if (answer.status === 200) return issuedToken(answer.text.trim(), askedAtMs);
        if (answer.status === 401) return 'keyRefused';
        if (answer.status === 403 && errorCode(answer) === KEYS_SWITCHED_OFF) return 'keyRefused';
        throw failed('sts', answer);
      }),
  };
}

function issuedToken(text: string, askedAtMs: number): IssuedToken {
  const payload = COMPACT.exec(text)?.[1];
  if (payload === undefined) throw new UpstreamFailure('sts', 'the answer is not a token');
  return { token: new Secret(text), expiresAtMs: expiryMs(payload) ?? askedAtMs + STS_LIFE_MS };
}

function expiryMs(payload: string): number | undefined {
  try {
    const parsed = claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
