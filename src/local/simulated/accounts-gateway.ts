/**
 * What the shared gateway in front of the AI accounts says when it will not serve a call. Two envelopes are
 * in the field: `{error:{code,message}}`, and an older `{statusCode,message}`. Here the account's own host
 * uses the first and the regional host the second, so that a client meets both.
 */
import type { Clock, Slot } from '../../ports.ts';
import { type Account, type Accounts, fingerprintOf } from './accounts.ts';
import type { Authenticate, RoleAssignment } from './roles.ts';
import type { Call, Outcome } from './service.ts';

/** The account's own host (custom subdomain), or the region's. */
export type HostForm = 'custom' | 'regional';

/** One host of one account. */
export interface AccountHost {
  readonly name: string;
  readonly form: HostForm;
  readonly accounts: Accounts;
  readonly authenticate: Authenticate;
  assignments(): readonly RoleAssignment[];
  readonly now: Clock;
  /** By which key-exchange tokens are dated, and judged when they come back. */
  readonly tokenClock: Clock;
}

/** A key the gateway accepts, by its fingerprint and the slot it is or was in; or the refusal. */
export type KeyCheck = { readonly fingerprint: string; readonly slot: Slot } | { readonly refused: Outcome };

export function checkKey(host: AccountHost, account: Account, key: string | undefined): KeyCheck {
  if (key === undefined || key === '') return { refused: gatewayError(host.form, 401, missingKey) };
  const keyFingerprint = fingerprintOf(key);
  if (account.settings.disableLocalAuth) {
    // Documented as a plain 401, seen in the field as a 403 with a code of its own.
    const refused =
      host.form === 'regional'
        ? gatewayError(host.form, 401, wrongKey(host.form))
        : gatewayError(
            host.form,
            403,
            'Key based authentication is disabled for this resource.',
            'AuthenticationTypeDisabled',
          );
    return { refused: { ...refused, keyFingerprint } };
  }
  const known = account.keys.find((one) => one.value === key);
  if (known === undefined || host.accounts.keyVerdict(host.name, key, host.now()) === undefined) {
    return { refused: { ...gatewayError(host.form, 401, wrongKey(host.form)), keyFingerprint } };
  }
  return { fingerprint: keyFingerprint, slot: known.slot };
}

const missingKey =
  'Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.';

export function wrongKey(form: HostForm): string {
  return form === 'regional'
    ? 'Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription.'
    : 'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.';
}

export function gatewayError(form: HostForm, status: number, message: string, code?: string): Outcome {
  return {
    status,
    headers: { 'apim-request-id': crypto.randomUUID() },
    body:
      form === 'regional'
        ? { statusCode: status, message }
        : { error: { code: code ?? String(status), message } },
  };
}

export function notFound(form: HostForm): Outcome {
  return gatewayError(form, 404, 'Resource not found');
}

/** A header, by its name in lower case; blanks around it do not count. */
export function header(call: Call, name: string): string | undefined {
  return call.headers[name]?.trim();
}
