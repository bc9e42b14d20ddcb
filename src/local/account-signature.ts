/** An account's shared access signature, with which Azurite lets the local mode do everything. */
import { createHmac } from 'node:crypto';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../facts/storage.ts';

const VERSION = '2021-12-02';
const PERMISSIONS = 'rwdlaup';
const SERVICES = 'bqt';
const RESOURCE_TYPES = 'sco';
const EXPIRES = '2120-01-01T00:00:00Z';

/**
 * Without the SDK, which loads 200 modules: a start has no other use for it.
 * https://learn.microsoft.com/rest/api/storageservices/create-account-sas
 * @returns a query, without a question mark
 */
export function accountSignature(): string {
  // Not used: start, address, protocol, encryption scope. Each line has its end, the last one too.
  const signed = [
    DEVELOPMENT_ACCOUNT,
    PERMISSIONS,
    SERVICES,
    RESOURCE_TYPES,
    '',
    EXPIRES,
    '',
    '',
    VERSION,
    '',
  ];
  const text = signed.map((line) => `${line}\n`).join('');
  const signature = createHmac('sha256', Buffer.from(DEVELOPMENT_KEY, 'base64'))
    .update(text)
    .digest('base64');
  return new URLSearchParams({
    sv: VERSION,
    ss: SERVICES,
    srt: RESOURCE_TYPES,
    sp: PERMISSIONS,
    se: EXPIRES,
    sig: signature,
  }).toString();
}
