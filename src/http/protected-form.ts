/**
 * What RFC 7662 section 2.1 and RFC 7009 section 2.1 share: a form with one `token`, from a caller who sends its own
 * Entra token as Bearer. Without the Bearer token anybody could try tokens until one is valid.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type Denial, wire } from '../denial.ts';
import type { Caller } from '../ports.ts';
import type { Admit } from '../revocation/admit.ts';
import { FORM, readParameters } from './parameters.ts';
import { readBearer } from './token-request.ts';

export const NO_STORE = { 'cache-control': 'no-store' } as const;
/** RFC 6750 section 3: every answer has it when the caller's token is missing, not accepted or not sufficient. */
export const CHALLENGE = 'Bearer realm="azure-ai-token-broker"';

/**
 * What a refused caller is told: `invalid_token` with a description (RFC 6750 section 3.1). Where a newer token would be accepted
 * it is the `insufficient_claims` of continuous access evaluation: Azure's libraries then get a token past their cache.
 * https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function refusedBearer(denial: Denial): { readonly challenge: string; readonly description: string } {
  const { claims, description } = wire(denial, 'the access token');
  const error =
    claims === undefined
      ? `error="invalid_token", error_description="${description}"`
      : `error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;
  return { challenge: `${CHALLENGE}, ${error}`, description };
}

export interface ProtectedForm {
  readonly kind: 'accepted';
  readonly caller: Caller;
  readonly token: string;
}
/** Not served: the answer that says why. */
export interface RefusedForm {
  readonly kind: 'refused';
  readonly answer: HttpResponseInit;
}

/** @throws UpstreamFailure */
export async function readProtectedForm(
  request: HttpRequest,
  admit: Admit,
): Promise<ProtectedForm | RefusedForm> {
  const authorization = request.headers.get('authorization');
  // RFC 6750 section 3.1: a request without credentials gets no error code.
  if (authorization === null)
    return unauthorized({ challenge: CHALLENGE, description: 'an Entra access token is required as Bearer' });
  const bearer = readBearer(authorization);
  if (bearer === undefined)
    return oauthError('Authorization must be one Bearer token', 400, {
      'www-authenticate': `${CHALLENGE}, error="invalid_request"`,
    });
  const caller = await admit(bearer, 'caller');
  if (!('objectId' in caller)) return unauthorized(refusedBearer(caller));
  const parameters = readParameters({ headers: request.headers, body: await request.text() }, [FORM]);
  if ('kind' in parameters) return oauthError(parameters.detail, parameters.status);
  // `token_type_hint` is ignored: all tokens are found in the same place, and a wrong hint must not hide one.
  const token = parameters.get('token');
  return token === undefined ? oauthError('token is required') : { kind: 'accepted', caller, token };
}

/** RFC 6749 section 5.2. */
function oauthError(
  description: string,
  status = 400,
  headers: Readonly<Record<string, string>> = {},
): RefusedForm {
  return refused({
    status,
    headers: { ...NO_STORE, ...headers },
    jsonBody: { error: 'invalid_request', error_description: description },
  });
}

function unauthorized({ challenge, description }: ReturnType<typeof refusedBearer>): RefusedForm {
  return refused({
    status: 401,
    headers: { ...NO_STORE, 'www-authenticate': challenge },
    jsonBody: { error: 'invalid_client', error_description: description },
  });
}

const refused = (answer: HttpResponseInit): RefusedForm => ({ kind: 'refused', answer });
