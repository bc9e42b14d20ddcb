import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { IssuedRecord } from '../ports.ts';
import type { Admit } from '../revocation/admit.ts';
import type { Issued } from '../revocation/issued.ts';
import { UpstreamFailure } from '../upstream.ts';
import { correlationId } from './correlation.ts';
import { NO_STORE, readProtectedForm } from './protected-form.ts';
import { unavailableResponse } from './token-response.ts';

export interface IntrospectionPorts {
  readonly admit: Admit;
  readonly issued: Issued;
  /** The broker's own issuer URL. */
  readonly issuer: string;
  /** The endpoint that accepts tokens of the resource. */
  readonly endpointOf: (resource: string) => string | undefined;
}

/**
 * `POST /oauth2/introspect`, RFC 7662. A caller may ask about the tokens that it may exchange for; operators and
 * auditors may ask about all. For every other token the answer is only `active: false`.
 */
export function createIntrospectionEndpoint(ports: IntrospectionPorts) {
  const { admit, issued, issuer, endpointOf } = ports;
  return async (request: HttpRequest): Promise<HttpResponseInit> => {
    try {
      const form = await readProtectedForm(request, admit);
      if (form.kind === 'refused') return form.answer;
      const record = await issued.introspect(form.caller, form.token);
      const body =
        record === undefined ? { active: false } : active(record, issuer, endpointOf(record.resource));
      return { status: 200, headers: NO_STORE, jsonBody: body };
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error;
      return unavailableResponse(error, correlationId(request.headers, Date.now()));
    }
  };
}

/** `sub` is present only when the token acts for one user, because a shared token has many holders. */
function active(record: IssuedRecord, issuer: string, endpoint: string | undefined): Record<string, unknown> {
  const { resource, tokenKind, user, issuedAtMs, expiresAtMs } = record;
  return {
    active: true,
    token_type: 'Bearer',
    iss: issuer,
    ...(endpoint === undefined ? {} : { aud: endpoint }),
    ...(user === undefined ? {} : { sub: user.objectId, tid: user.tenantId }),
    iat: Math.floor(issuedAtMs / 1000),
    exp: Math.floor(expiresAtMs / 1000),
    resource,
    token_kind: tokenKind,
  };
}
