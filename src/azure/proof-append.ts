/**
 * Appends to the proof, for the rotator app alone. The role that it has for this can make a blob and append to one; it
 * can neither put one over another nor delete one, and the container's policy lets nobody do that.
 * https://learn.microsoft.com/rest/api/storageservices/append-block
 */
import type { TokenCredential } from '@azure/core-auth';
import type { ContainerClient } from '@azure/storage-blob';
import { PROOF_CONTAINER, proofBlobOf } from '../proof-container.ts';
import type { Proof, ProofReader } from '../record/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';

const DEADLINE_MS = 10_000;

/** Loads the SDK at the first append. Its retries are off: `call.ts` retries. */
export function createProof(url: string, credential: TokenCredential, reader: ProofReader): Proof {
  let opened: Promise<ContainerClient> | undefined;
  const open = async (): Promise<ContainerClient> => {
    const { ContainerClient } = await import('@azure/storage-blob');
    return new ContainerClient(`${url}/${PROOF_CONTAINER}`, credential, { retryOptions: { maxTries: 1 } });
  };
  const container = () => {
    if (opened === undefined) {
      opened = open();
      opened.catch(() => {
        opened = undefined;
      });
    }
    return opened;
  };
  return {
    ...reader,
    append: (day, position, text) =>
      call(
        'blobs',
        'append to the proof',
        async (abortSignal) => {
          const blob = (await container()).getAppendBlobClient(proofBlobOf(day));
          const append = async () => {
            const conditions = { appendPosition: position };
            try {
              await blob.appendBlock(text, Buffer.byteLength(text), { conditions, abortSignal });
              return 'appended';
            } catch (error) {
              if (isCode(error, 412, 'AppendPositionConditionNotMet')) return 'moved';
              if (isCode(error, 404, 'BlobNotFound')) return 'missing';
              throw error;
            }
          };
          const answer = await append();
          if (answer !== 'missing') return answer;
          try {
            await blob.create({ conditions: { ifNoneMatch: '*' }, abortSignal });
          } catch (error) {
            // Somebody else has made it meanwhile; who may only add is told so by the second one.
            const isThere =
              isCode(error, 409, 'BlobAlreadyExists') || isCode(error, 403, 'UnauthorizedBlobOverwrite');
            if (!isThere) throw error;
          }
          const again = await append();
          if (again === 'missing') throw new UpstreamFailure('blobs', 'a blob that was made is not there');
          return again;
        },
        { deadlineMs: DEADLINE_MS },
      ),
  };
}

function isCode(error: unknown, status: number, code: string): boolean {
  const { statusCode, code: told } = error as { statusCode?: unknown; code?: unknown };
  return statusCode === status && told === code;
}
