/**
 * The record straight from its storage, with the own rights of whoever asks: a broker that lies about the audit has no
 * say in it. It needs Storage Table Data Reader on the tables `audit` and `usage`, and Storage Blob Data Reader on the
 * container `proof` (infra/README.md).
 */
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import type { RecordReaders } from '../record/export.ts';
import { CommandFailure } from './failure.ts';
import type { Session } from './session.ts';

/** Longer than any verification. The storage refuses a token that has run out, and that is told. */
const TOKEN_MS = 3_600_000;

/** @param account its name, or the URL of its tables; undefined: that of the local mode */
export async function openStorage(session: Session, account: string | undefined): Promise<RecordReaders> {
  const { tables: tablesUrl, blobs } = endpointsOf(session, account);
  const [{ createAuditRowReader }, { createProofReader }, { createTables }, { createBooksReader }] =
    await Promise.all([
      import('../azure/audit-rows.ts'),
      import('../azure/proof-blob.ts'),
      import('../azure/tables.ts'),
      import('../azure/usage-table.ts'),
    ]);
  const token = await session.storageToken();
  const held = { token, expiresOnTimestamp: Date.now() + TOKEN_MS };
  const tables = createTables(tablesUrl, { getToken: async () => held });
  return {
    audit: createAuditRowReader(tables),
    proof: createProofReader(blobs, async () => held, session.nowMs),
    books: createBooksReader(tables),
  };
}

function endpointsOf({ local }: Session, account: string | undefined): { tables: string; blobs: string } {
  if (account === undefined) {
    if (local === undefined)
      throw new CommandFailure(
        'usage',
        'It is not said which storage account has the record.',
        '--storage NAME, or the URL of its tables; azd env get-values has it as BROKER_TABLES_URL.',
      );
    // Its services have certificates of the local mode's own authority.
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(local.mode.ca, 'utf8')]);
    const { BROKER_TABLES_URL: tables = '', BROKER_BLOBS_URL: blobs = '' } = local.mode.environment.issuer;
    return { tables, blobs };
  }
  const named = /^[a-z0-9]{3,24}$/.test(account) ? `https://${account}.table.core.windows.net` : account;
  const url = URL.canParse(named) ? new URL(named) : undefined;
  if (url?.protocol !== 'https:' || !url.hostname.includes('.table.'))
    throw new CommandFailure(
      'usage',
      '--storage takes the name of a storage account, or the URL of its tables.',
      'It looks like https://stbroker.table.core.windows.net',
    );
  return { tables: url.origin, blobs: url.origin.replace('.table.', '.blob.') };
}
