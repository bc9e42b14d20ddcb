/** The data plane of one host of a simulated AI account: find the operation, check the credential, answer. */
import type { AccountHost } from './accounts-gateway.ts';
import { gatewayError, notFound, wrongKey } from './accounts-gateway.ts';
import { checkCredential } from './dataplane-credentials.ts';
import { findOperation } from './dataplane-operations.ts';
import type { Call, Outcome } from './service.ts';

export function createDataPlane(host: AccountHost): (call: Call) => Promise<Outcome> {
  return async (call) => {
    const account = host.accounts.find(host.name);
    // A deleted account's own host is no one's; the region's host knows none of its keys.
    if (account === undefined || account.deleted) {
      return host.form === 'custom' ? notFound('custom') : gatewayError(host.form, 401, wrongKey(host.form));
    }
    const operation = findOperation(account.kind, call.method, call.url.pathname);
    if (operation === undefined) return notFound(host.form);
    const access = await checkCredential(host, account, operation, call);
    return 'refused' in access ? access.refused : { ...operation.answer(call, host.now()), ...access.use };
  };
}
