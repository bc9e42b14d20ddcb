/**
 * What RFC 7662 section 2.1 and RFC 7009 section 2.1 share: a form with one `token`, from a caller that shows
 * its own Entra token as Bearer. Without that, anyone could try tokens until one is good.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Caller } from '../ports.ts';
import type { Admit } from '../revocation/admit.ts';
import { readBearer } from './token-request.ts';

export const NO_STORE = { 'cache-control': 'no-store' } as const;
/** RFC 6750 section 3: in every answer to whom lacks an accepted token, or one that is enough. */
export const CHALLENGE = 'Bearer realm="azure-ai-token-broker"';
const MAX_CHARACTERS = 65_536;

export interface ProtectedForm {
  readonly caller: Caller;
  readonly token: string;
}

/** @throws UpstreamFailure */
export async function readProtectedForm(
  request: HttpRequest,
  admit: Admit,
): Promise<ProtectedForm | HttpResponseInit> {
  const authorization = request.headers.get('authorization');
  // RFC 6750 section 3.1: without credentials no error code, so as to give nothing away.
  if (authorization === null) return unauthorized(CHALLENGE);
  const bearer = readBearer(authorization);
  if (bearer === undefined)
    return oauthError('invalid_request', 'Authorization must be one Bearer token', {
      'www-authenticate': `${CHALLENGE}, error="invalid_request"`,
    });
  const caller = await admit(bearer, 'caller');
  if (!('objectId' in caller)) return unauthorized(`${CHALLENGE}, error="invalid_token"`);
  const token = readToken(request, await request.text());
  return typeof token === 'string' ? { caller, token } : token;
}

/** Any `token_type_hint` is ignored: there is one kind of token, and a wrong hint must not hide it. */
function readToken(request: HttpRequest, body: string): string | HttpResponseInit {
  const contentType = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (contentType !== 'application/x-www-form-urlencoded')
    return oauthError('invalid_request', 'Content-Type must be application/x-www-form-urlencoded');
  if (body === '' && request.headers.get('transfer-encoding') !== null)
    return oauthError('invalid_request', 'send the body with a Content-Length; chunked bodies do not arrive');
  if (body.length > MAX_CHARACTERS) return oauthError('invalid_request', 'the body is too large');
  const form = new URLSearchParams(body);
  for (const name of new Set(form.keys()))
    if (form.getAll(name).length > 1)
      return oauthError('invalid_request', 'a parameter is sent more than once');
  return form.get('token') || oauthError('invalid_request', 'token is required');
}

/** RFC 6749 section 5.2. */
function oauthError(
  error: string,
  description: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit {
  return {
    status: 400,
    headers: { ...NO_STORE, ...headers },
    jsonBody: { error, error_description: description },
  };
}

function unauthorized(challenge: string): HttpResponseInit {
  return {
    status: 401,
    headers: { ...NO_STORE, 'www-authenticate': challenge },
    jsonBody: { error: 'invalid_client', error_description: 'an accepted Entra access token is required' },
  };
}
