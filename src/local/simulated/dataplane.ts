/** The data plane of one host of a simulated AI account: find the operation, check the credential, answer. */
import type { AccountHost } from './accounts-gateway.ts';
import { gatewayError, notFound, wrongKey } from './accounts-gateway.ts';
import { checkCredential } from './dataplane-credentials.ts';
import { findOperation } from './dataplane-operations.ts';
import { recognition, recognize } from './dataplane-recognition.ts';
import type { Call, Outcome, Upgrade } from './service.ts';

/** Speech to text over a WebSocket. The credential is in a header, or in the query where a browser opens it. */
export function createLiveDataPlane(host: AccountHost): (call: Call) => Promise<Upgrade> {
  return async (asked) => {
    const account = host.accounts.find(host.name);
    const operation = account && recognition(account.kind, asked.url.pathname);
    if (account === undefined || account.deleted || operation === undefined) return notFound(host.form);
    const query = Object.fromEntries(
      [...asked.url.searchParams].map(([name, value]) => [name.toLowerCase(), value]),
    );
    const call = { ...asked, headers: { ...query, ...asked.headers } };
    const access = await checkCredential(host, account, operation, call);
    if ('refused' in access) return access.refused;
    const isStillGood = async () => !('refused' in (await checkCredential(host, account, operation, call)));
    return {
      status: 101,
      ...access.use,
      converse: (conversation) => recognize(conversation, isStillGood),
    };
  };
}

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
