/**
 * The two table calls that every exchange waits for, over node:http: read a row's ETag, insert a row. With
 * @azure/data-tables each takes three times the processor time (measured: 0.97 against 0.29 ms on a busy core),
 * which was a fifth of an exchange with a cached token. All other table calls use the SDK.
 * https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as TlsAgent } from 'node:https';
import type { AccessToken } from '@azure/core-auth';
import { DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY } from '../facts/storage.ts';
import type { Clock } from '../ports.ts';
import type { TableName } from '../table-names.ts';
import { traceHeaders } from '../telemetry/trace.ts';
import { UpstreamFailure } from '../upstream.ts';
import { retryAfterSeconds } from './call.ts';

/** The scope that the identity's token must have. */
export const TABLES_SCOPE = 'https://storage.azure.com/.default';

/** Use it inside `call`, which adds deadline and retries. @throws UpstreamFailure, or the socket's error */
export interface Rows {
  /** `undefined`: there is no such row. */
  etag(
    table: TableName,
    partitionKey: string,
    rowKey: string,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** `exists`: there is a row with these keys already, and it stays as it is. */
  insert(table: TableName, row: Row, signal: AbortSignal): Promise<'inserted' | 'exists'>;
}
export interface Row {
  readonly PartitionKey: string;
  readonly RowKey: string;
  readonly [property: string]: string | number;
}
const MAX_CHARACTERS = 4_096;

/** The headers that authorize a call on a path. */
type Authorize = (path: string) => Record<string, string> | Promise<Record<string, string>>;

/** @param token returns a token of the identity that may use the tables; over plain http the development key is used */
export function createRows(url: string, token: () => Promise<AccessToken>, clock: Clock): Rows {
  const { protocol, hostname, port, pathname } = new URL(url);
  const isTls = protocol === 'https:';
  const request = isTls ? requestHttps : requestHttp;
  const agent = new (isTls ? TlsAgent : Agent)({ keepAlive: true });
  const authorize = isTls ? byToken(token, clock) : byDevelopmentKey();

  const send = async (
    method: string,
    resource: string,
    signal: AbortSignal,
    body = '',
  ): Promise<IncomingMessage> => {
    const path = `${pathname === '/' ? '' : pathname}/${resource}`;
    const headers = {
      ...traceHeaders(),
      ...(await authorize(path)),
      'x-ms-version': '2019-02-02',
      accept: 'application/json;odata=nometadata',
      ...(body && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        prefer: 'return-no-content',
      }),
    };
    return new Promise((resolve, reject) => {
      const asked = request({ agent, hostname, port, method, path, headers, signal }, resolve);
      asked.on('error', reject).end(body);
    });
  };

  return {
    etag: async (table, partitionKey, rowKey, signal) => {
      const keys = `PartitionKey='${quoted(partitionKey)}',RowKey='${quoted(rowKey)}'`;
      const answer = await send('GET', `${table}(${keys})`, signal);
      // With another code it is not the row that is missing but the table, and that is an outage.
      if ((await errorCode(answer)) === 'ResourceNotFound') return undefined;
      const { etag } = answer.headers;
      if (answer.statusCode !== 200 || etag === undefined) throw refused(answer);
      return etag;
    },
    insert: async (table, row, signal) => {
      const answer = await send('POST', table, signal, JSON.stringify(row));
      if ((await errorCode(answer)) === 'EntityAlreadyExists') return 'exists';
      if (answer.statusCode !== 204) throw refused(answer);
      return 'inserted';
    },
  };
}

/** OData: a quote inside a key is written twice. */
const quoted = (key: string) => encodeURIComponent(key.replaceAll("'", "''"));

/** Reads the answer to its end, because the connection cannot be used again before; keeps enough for the error code. */
async function errorCode(answer: IncomingMessage): Promise<string | undefined> {
  let body = '';
  answer.setEncoding('utf8');
  answer.on('data', (text: string) => {
    if (body.length < MAX_CHARACTERS) body += text;
  });
  await once(answer, 'end');
  if (answer.statusCode !== 404 && answer.statusCode !== 409) return undefined;
  return /"code":\s*"(\w+)"/.exec(body)?.[1];
}

function refused({ statusCode = 0, headers }: IncomingMessage): UpstreamFailure {
  const isAnswer = statusCode >= 300;
  const what = isAnswer ? 'a row was refused' : 'the answer is not of a table';
  return new UpstreamFailure(
    'tables',
    what,
    isAnswer ? statusCode : 0,
    retryAfterSeconds(headers['retry-after']),
  );
}

/**
 * Shared Key Lite, https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 * What is signed changes with the path and the second.
 */
function byDevelopmentKey(): Authorize {
  const signed = new Map<string, Record<string, string>>();
  return (path) => {
    const date = new Date().toUTCString();
    const known = signed.get(path);
    if (known?.['x-ms-date'] === date) return known;
    const signature = createHmac('sha256', Buffer.from(DEVELOPMENT_KEY, 'base64'))
      .update(`${date}\n/${DEVELOPMENT_ACCOUNT}${path}`)
      .digest('base64');
    const headers = { 'x-ms-date': date, authorization: `SharedKeyLite ${DEVELOPMENT_ACCOUNT}:${signature}` };
    signed.set(path, headers);
    return headers;
  };
}

/** A new token is requested when this much of the old one's life is left, as in the SDK. */
const TOKEN_MARGIN_MS = 120_000;

export function byToken(token: () => Promise<AccessToken>, clock: Clock): Authorize {
  let held: AccessToken | undefined;
  return async () => {
    if (held === undefined || held.expiresOnTimestamp - clock() < TOKEN_MARGIN_MS) held = await token();
    return { authorization: `Bearer ${held.token}`, 'x-ms-date': new Date(clock()).toUTCString() };
  };
}
