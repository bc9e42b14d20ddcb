/** Azurite's blobs in this process, behind the door of the simulated storage account with the roles of the two apps. */
import type { TokenCredential } from '@azure/core-auth';
import { createProof } from '../../src/azure/proof-append.ts';
import { createProofReader } from '../../src/azure/proof-blob.ts';
import { DEVELOPMENT_ACCOUNT } from '../../src/facts/storage.ts';
import { accountSignature } from '../../src/local/account-signature.ts';
import { startBlobServer } from '../../src/local/azurite.ts';
import { createContainersAt } from '../../src/local/containers.ts';
import { brokerRoles, storageId } from '../../src/local/simulated/broker-roles.ts';
import { createFaults } from '../../src/local/simulated/faults.ts';
import { createRequestLog } from '../../src/local/simulated/requests.ts';
import { serveStorage } from '../../src/local/simulated/storage.ts';
import { createStorageGate } from '../../src/local/simulated/storage-access.ts';
import { createTls, trust } from '../../src/local/simulated/tls.ts';
import type { Proof, ProofReader } from '../../src/record/ports.ts';

export async function startBlobs() {
  const tls = createTls();
  trust(tls.ca);
  const faults = createFaults();
  const requests = createRequestLog();
  const server = await startBlobServer();
  await createContainersAt(`${server.getHttpServerAddress()}/${DEVELOPMENT_ACCOUNT}`);
  const door = await serveStorage(
    { tls, faults, requests, now: Date.now, log: () => undefined },
    {
      service: 'blobs',
      port: 0,
      azurite: () => server.getHttpServerAddress(),
      // A token is the principal's id.
      gate: createStorageGate('blobs', {
        verify: (token) => ({ claims: { oid: token, appid: token, exp: Number.MAX_SAFE_INTEGER } }),
        assignments: () => brokerRoles,
        accountId: storageId,
        now: Date.now,
      }),
      signature: accountSignature,
    },
  );
  const url = `${door.url}/${DEVELOPMENT_ACCOUNT}`;
  const token = (principalId: string) => ({ token: principalId, expiresOnTimestamp: Date.now() + 3_600_000 });
  const readerOf = (principalId: string, at = url): ProofReader =>
    createProofReader(at, async () => token(principalId), Date.now);
  const proofOf = (principalId: string): Proof => {
    const credential: TokenCredential = { getToken: async () => token(principalId) };
    return createProof(url, credential, readerOf(principalId));
  };
  return {
    url,
    faults,
    requests,
    readerOf,
    proofOf,
    [Symbol.asyncDispose]: async () => {
      await door.close();
      await server.close();
    },
  };
}
