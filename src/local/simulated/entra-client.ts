/** How a client proves itself at the token endpoint: by secret, or by an assertion of a federated identity. */
import { timingSafeEqual } from 'node:crypto';
import type { Application, Directory } from './directory.ts';
import { type EntraRefusal, refusal } from './entra-errors.ts';
import { agentPath, type ClientProof, federationAudience } from './entra-tokens.ts';
import type { VerifyAccessToken } from './entra-verify.ts';
import type { Call } from './service.ts';

export interface ProvenClient {
  readonly app: Application;
  readonly proof: ClientProof;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export interface ClientProofOptions {
  readonly directory: Directory;
  readonly verify: VerifyAccessToken;
}

export function createProveClient({ directory, verify }: ClientProofOptions) {
  function proveAssertion(app: Application, assertion: string): ProvenClient | EntraRefusal {
    const verified = verify(assertion, [federationAudience]);
    if ('fault' in verified) {
      switch (verified.fault) {
        case 'expired':
          return refusal('invalid_client', 700024, 'Client assertion is not within its valid time range.');
        case 'audience':
          return refusal('invalid_client', 700212, noMatch('audience'));
        case 'issuer':
          return refusal('invalid_client', 700211, noMatch('issuer'));
        default:
          return refusal(
            'invalid_client',
            700027,
            'The certificate with identifier used to sign the client assertion is not registered on application.',
          );
      }
    }
    const { claims } = verified;
    if (app.blueprintId !== undefined) {
      const isItsBlueprint = (claims['azp'] ?? claims['appid']) === app.blueprintId;
      return isItsBlueprint && claims['sub'] === agentPath(app)
        ? { app, proof: '2' }
        : refusal('invalid_client', 700213, noMatch('subject'));
    }
    // The identity and the application must be in one tenant, and the subject is compared case-sensitively.
    if (claims['tid'] !== app.tenantId) return refusal('invalid_client', 700211, noMatch('issuer'));
    if (app.federatedTo === undefined || claims['sub'] !== app.federatedTo) {
      return refusal('invalid_client', 700213, noMatch('subject'));
    }
    return { app, proof: '2' };
  }

  /** A client without a secret or an assertion of its own may be public; the grant says whether it may. */
  return (call: Call, form: URLSearchParams, tenantId: string): ProvenClient | EntraRefusal => {
    const basic = basicCredentials(call.headers['authorization']);
    const clientId = basic?.id ?? form.get('client_id');
    if (!clientId) return missing('client_id');
    const app = directory.application(tenantId, clientId);
    if (!app) {
      const message = `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.`;
      return refusal('unauthorized_client', 700016, message);
    }
    if (form.get('client_assertion_type') === assertionType) {
      return proveAssertion(app, form.get('client_assertion') ?? '');
    }
    const secret = basic?.secret ?? form.get('client_secret');
    if (secret === null) return { app, proof: '0' };
    if (app.secret === undefined || !isEqual(app.secret, secret)) {
      const message = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`;
      return refusal('invalid_client', 7000215, message);
    }
    return { app, proof: '1' };
  };
}

export function missing(parameter: string): EntraRefusal {
  const message = `The required field '${parameter}' is missing from the credential. Ensure that you have all the necessary parameters for the login request.`;
  return refusal('invalid_request', 900144, message);
}

function noMatch(what: string): string {
  return `No matching federated identity record found for presented assertion ${what}.`;
}

function basicCredentials(header: string | undefined): { id: string; secret: string } | undefined {
  const [, encoded] = /^basic (.+)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [id, secret] = Buffer.from(encoded, 'base64').toString().split(':').map(decodeURIComponent);
  return id && secret ? { id, secret } : undefined;
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
