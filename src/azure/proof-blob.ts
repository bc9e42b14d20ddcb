/**
 * Reads the proof: an append blob for each day in container `proof`. By two plain calls, so that the issuer app needs
 * no library to show the proof, and has none that could write one.
 * https://learn.microsoft.com/rest/api/storageservices/get-blob
 */
import type { AccessToken } from '@azure/core-auth';
import type { Clock } from '../ports.ts';
import { PROOF_CONTAINER, proofBlobOf } from '../proof-container.ts';
import type { ProofReader } from '../record/ports.ts';
import { UpstreamFailure } from '../upstream.ts';
import { call } from './call.ts';
import { type Answer, failed, fetchText } from './fetch.ts';

/** The scope that the identity's token must have. */
export const BLOBS_SCOPE = 'https://storage.azure.com/.default';

/** A day has some 400 KB; `fetchText` takes at most twice as much as this in one answer. */
const READ_BYTES = 524_288;
/** A list of so many blobs is well below that too, and they are those of three years. */
const LISTED = 1_000;
const DEADLINE_MS = 10_000;

/** @param url the blob endpoint. @param token returns a token of the identity that may read the container */
export function createProofReader(url: string, token: () => Promise<AccessToken>, clock: Clock): ProofReader {
  const get = (
    what: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    isUnderstood: (answer: Answer) => boolean,
  ) =>
    call(
      'blobs',
      what,
      async (signal) => {
        const answer = await fetchText('blobs', `${url}/${PROOF_CONTAINER}${path}`, {
          headers: {
            authorization: `Bearer ${(await token()).token}`,
            'x-ms-version': '2021-12-02',
            'x-ms-date': new Date(clock()).toUTCString(),
            ...headers,
          },
          signal,
        });
        if (!isUnderstood(answer)) throw refused(answer);
        return answer;
      },
      { deadlineMs: DEADLINE_MS },
    );

  return {
    async read(day, position) {
      let text = '';
      for (let from = position; ; from += READ_BYTES) {
        const range = { range: `bytes=${from}-${from + READ_BYTES - 1}` };
        const answer = await get('read the proof', `/${proofBlobOf(day)}`, range, isOfBlob);
        if (answer.status !== 206) return text;
        text += answer.text;
        if (Buffer.byteLength(answer.text) < READ_BYTES) return text;
      }
    },
    async days() {
      const days: string[] = [];
      for (let marker = ''; ; ) {
        const query = new URLSearchParams({
          restype: 'container',
          comp: 'list',
          maxresults: String(LISTED),
          ...(marker !== '' && { marker }),
        });
        const answer = await get('list the proof', `?${query}`, {}, isList);
        days.push(...[...answer.text.matchAll(NAME)].map(([, day = '']) => day));
        marker = NEXT.exec(answer.text)?.[1] ?? '';
        if (marker === '') return days.sort();
      }
    },
  };
}

const NAME = /<Name>([0-9]{4}-[0-9]{2}-[0-9]{2})\.jsonl<\/Name>/g;
const NEXT = /<NextMarker>([^<]+)<\/NextMarker>/;

/** A part of it; behind its end; or no such blob: with another code than this it is the container that is missing. */
const isOfBlob = ({ status, text }: Answer): boolean =>
  status === 206 || status === 416 || (status === 404 && text.includes('<Code>BlobNotFound</Code>'));
const isList = ({ status, text }: Answer): boolean => status === 200 && text.includes('<EnumerationResults');

const refused = (answer: Answer): UpstreamFailure =>
  answer.status < 300
    ? new UpstreamFailure('blobs', 'the answer is not of a container')
    : failed('blobs', answer);
