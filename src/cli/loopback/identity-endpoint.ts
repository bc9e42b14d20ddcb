/**
 * The token endpoint of App Service, as the managed-identity credential of every Azure SDK asks it:
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 * Read in the sources of @azure/msal-node: `expires_on` is epoch seconds; an error's text is looked for in `message`
 * and its code in `error`; 404, 408, 429 and 5xx are tried again, three times at most, and any other refusal is final.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BrokerError } from '../../client/broker-error.ts';
import type { BrokerToken } from '../../client/broker-token.ts';
import { CommandFailure } from '../failure.ts';
import type { Supply } from '../held-token.ts';
import { isSecret, refuseStranger } from './admit.ts';
import { sendJson } from './listen.ts';

export const PATH = '/msi/token';
const API_VERSION = '2019-08-01';
/** What Azure AI is called in tokens, in every cloud. */
const AZURE_AI =
  /^https:\/\/(?:cognitiveservices\.azure\.(?:com|us|cn)|ai\.azure\.(?:com|us|cn))\/?(?:\.default)?$/;

type Answer = { readonly status: number; readonly body: object; readonly headers?: Record<string, string> };

/** @param supplies one for each resource, the first is that of a program that names none */
export function identityEndpoint(supplies: readonly Supply[], secret: string) {
  return async (request: IncomingMessage, response: ServerResponse, port: number): Promise<void> => {
    request.resume();
    const { status, body, headers } = await answer(request, port);
    sendJson(response, status, body, headers);
  };

  async function answer(request: IncomingMessage, port: number): Promise<Answer> {
    const stranger = refuseStranger(request, port);
    if (stranger !== undefined) return refused(stranger.status, stranger.code, stranger.message);
    const given = request.headers['x-identity-header'];
    if (typeof given !== 'string' || !isSecret(given, secret))
      return refused(401, 'unauthorized', 'X-IDENTITY-HEADER must have the value of IDENTITY_HEADER');
    const [path, query = ''] = (request.url ?? '').split('?');
    if (path !== PATH) return refused(400, 'invalid_request', `the token endpoint is ${PATH}`);
    if (request.method !== 'GET') return refused(405, 'invalid_request', 'tokens are got with GET');
    const asked = new URLSearchParams(query);
    if (asked.get('api-version') !== API_VERSION)
      return refused(400, 'invalid_request', `api-version must be ${API_VERSION}`);
    const scope = asked.get('resource') ?? asked.get('scope') ?? '';
    if (!AZURE_AI.test(scope))
      return refused(
        400,
        'invalid_scope',
        `the broker has tokens for Azure AI only (https://cognitiveservices.azure.com, https://ai.azure.com), not for ${scope.slice(0, 100) || 'nothing'}`,
      );
    const chosen = choose(asked.get('client_id') ?? undefined);
    if (chosen === undefined)
      return refused(
        400,
        'invalid_request',
        `several accounts are served: say as client id which, ${supplies.map(({ resource }) => resource).join(' or ')}`,
      );
    return tokenOf(chosen, scope, asked.get('token_sha256_to_refresh') ?? undefined);
  }

  /** A program that is served one account may carry the client id of the identity that it had before. */
  function choose(clientId: string | undefined): Supply | undefined {
    const [only, ...others] = supplies;
    return others.length === 0 ? only : supplies.find(({ resource }) => resource === clientId);
  }

  async function tokenOf(chosen: Supply, scope: string, refusedSha256: string | undefined): Promise<Answer> {
    try {
      let token = await chosen.get();
      // The SDK's own word for: the service did not accept this one.
      if (refusedSha256 !== undefined && sha256(token.accessToken) === refusedSha256.toLowerCase())
        token = await chosen.get({ refused: token });
      return { status: 200, body: granted(chosen, token, scope) };
    } catch (error) {
      return failed(error);
    }
  }

  function granted(chosen: Supply, token: BrokerToken, scope: string): object {
    return {
      access_token: token.accessToken,
      expires_on: String(Math.floor(chosen.wallExpiryMs(token) / 1000)),
      resource: scope.replace(/\/?\.default$/, ''),
      token_type: 'Bearer',
      client_id: chosen.resource,
    };
  }
}

/** An outage may be tried again; a refusal may not, and says why. */
function failed(error: unknown): Answer {
  if (error instanceof BrokerError && error.code === 'temporarily_unavailable')
    return {
      ...refused(503, error.code, error.message),
      headers: { 'retry-after': String(error.retryAfterSeconds ?? 2) },
    };
  if (error instanceof BrokerError) {
    const { body } = refused(400, error.code, error.message);
    return { status: 400, body: { ...body, correlation_id: error.correlationId } };
  }
  const message = error instanceof CommandFailure ? error.message : 'the command failed';
  return error instanceof CommandFailure && error.exitCode === 3
    ? refused(503, 'temporarily_unavailable', message)
    : refused(400, 'invalid_client', message);
}

const refused = (status: number, error: string, message: string): Answer => ({
  status,
  body: { statusCode: status, error, error_description: message, message },
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
