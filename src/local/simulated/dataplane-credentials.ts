/**
 * Who may use an AI account's data plane, and by what: an account key, a key-exchange token, or an Entra token
 * of a principal with a role. Every credential is really checked; the answers are those of the field.
 */
import type { Account } from './accounts.ts';
import { type AccountHost, checkKey, gatewayError, header, wrongKey } from './accounts-gateway.ts';
import type { Operation } from './dataplane-operation.ts';
import { allows } from './roles.ts';
import type { Call, Outcome } from './service.ts';
import { looksLikeStsToken, takesStsTokens, verifyStsToken } from './sts-token.ts';

/** For the request log: the client id behind an Entra token, or the key used or bought with. */
export interface Use {
  readonly by?: string;
  readonly keyFingerprint?: string;
}
export type Access = { readonly use: Use } | { readonly refused: Outcome };

export async function checkCredential(
  host: AccountHost,
  account: Account,
  operation: Operation,
  call: Call,
): Promise<Access> {
  const key = header(call, 'ocp-apim-subscription-key') ?? apiKey(account, call);
  const bearer = /^Bearer +(.+)$/i.exec(header(call, 'authorization') ?? '')?.[1];
  if (key === undefined && bearer !== undefined) {
    return looksLikeStsToken(bearer)
      ? byStsToken(host, account, bearer)
      : byEntraToken(host, account, operation, call, bearer);
  }
  const check = checkKey(host, account, key);
  return 'refused' in check ? check : { use: { keyFingerprint: check.fingerprint } };
}

/** Azure OpenAI's own name for the key header. */
function apiKey(account: Account, call: Call): string | undefined {
  return account.kind === 'OpenAI' || account.kind === 'AIServices' ? header(call, 'api-key') : undefined;
}

function byStsToken(host: AccountHost, account: Account, token: string): Access {
  if (!takesStsTokens(account.kind)) {
    return { refused: unauthorized('urn:ms.scopedToken or urn:ms.faceSessionToken') };
  }
  const keyFingerprint = verifyStsToken(host, account, token);
  return keyFingerprint === undefined
    ? { refused: gatewayError(host.form, 401, wrongKey(host.form)) }
    : { use: { keyFingerprint } };
}

const audience = 'https://cognitiveservices.azure.com';

async function byEntraToken(
  host: AccountHost,
  account: Account,
  operation: Operation,
  call: Call,
  credential: string,
): Promise<Access> {
  const token =
    host.form === 'custom' ? plainToken(account, credential) : regionalToken(account, call, credential);
  if (token === 'customSubdomainNeeded') {
    return {
      refused: {
        status: 400,
        body: {
          error: {
            code: 'BadRequest',
            message:
              'Please provide a custom subdomain for token authentication, otherwise API key is required.',
          },
        },
      },
    };
  }
  const principal = token === undefined ? undefined : await host.authenticate(token, [audience]);
  if (principal === undefined) return { refused: unauthorized(audience) };
  if (
    !allows(host.assignments(), principal.objectId, 'dataActions', operation.dataAction, account.accountId)
  ) {
    return { refused: { ...permissionDenied(principal.objectId, operation), by: principal.clientId } };
  }
  return { use: { by: principal.clientId } };
}

/** The token in a credential: as it is, or behind `aad#<resource id>#` where Speech wants to be told the account. */
function plainToken(account: Account, credential: string): string | undefined {
  if (!credential.startsWith('aad#')) return credential;
  const [, accountId, token] = credential.split('#');
  if (account.kind !== 'SpeechServices' || !isSame(accountId, account.accountId)) return undefined;
  return token;
}

/** A regional host does not know the account from its name, so it must be told, and only two kinds can be. */
function regionalToken(
  account: Account,
  call: Call,
  credential: string,
): string | undefined | 'customSubdomainNeeded' {
  if (account.kind === 'SpeechServices' && credential.startsWith('aad#')) {
    return plainToken(account, credential);
  }
  const isNamed =
    isSame(header(call, 'ocp-apim-resourceid'), account.accountId) &&
    isSame(header(call, 'ocp-apim-subscription-region'), account.region);
  return account.kind === 'TextTranslation' && isNamed ? credential : 'customSubdomainNeeded';
}

function isSame(given: string | undefined, wanted: string): boolean {
  return given?.toLowerCase() === wanted.toLowerCase();
}

function unauthorized(wantedAudience: string): Outcome {
  const message = `Unauthorized. Access token is missing, invalid, audience is incorrect (${wantedAudience}), or have expired.`;
  return { status: 401, body: { statusCode: 401, message } };
}

function permissionDenied(objectId: string, operation: Operation): Outcome {
  const message = `The principal \`${objectId}\` lacks the required data action \`${operation.dataAction}\` to perform \`${operation.method} ${operation.route}\` operation.`;
  return { status: 401, body: { error: { code: 'PermissionDenied', message } } };
}
