/** One host of a simulated AI account: its key exchange and its data plane behind one address. */
import type { AccountHost } from './accounts-gateway.ts';
import { createDataPlane, createLiveDataPlane } from './dataplane.ts';
import { findOperation } from './dataplane-operations.ts';
import { recognition } from './dataplane-recognition.ts';
import type { Endpoint } from './service.ts';
import { createSts, issueTokenPath } from './sts.ts';

/** What `serve` needs but a port. The log's resource is the account's name. */
export function createAccountHost(host: AccountHost): Omit<Endpoint, 'port'> {
  const issueToken = createSts(host);
  const use = createDataPlane(host);
  const useLive = createLiveDataPlane(host);
  const isSts = (path: string) => path.toLowerCase() === issueTokenPath.toLowerCase();
  return {
    service: (path) => (isSts(path) ? 'sts' : 'ai'),
    operation({ method, url }) {
      if (isSts(url.pathname)) return 'issueToken';
      const kind = host.accounts.find(host.name)?.kind ?? '';
      return (
        (findOperation(kind, method, url.pathname) ?? recognition(kind, url.pathname))?.name ?? 'unknown'
      );
    },
    async handle(call) {
      const outcome = call.service === 'sts' ? issueToken(call) : await use(call);
      return { ...outcome, resource: host.name };
    },
    async upgrade(call) {
      return { ...(await useLive(call)), resource: host.name };
    },
  };
}
