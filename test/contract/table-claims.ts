/** Table storage: what the broker's conditional writes rest on. */
import { randomUUID } from 'node:crypto';
import { type Answer, bearer, type Claim, must, type Target } from './target.ts';

const SHEET =
  'facts/failure-scenarios.md; learn.microsoft.com/rest/api/storageservices/table-service-error-codes';

async function table(
  target: Target,
  method: string,
  path: string,
  body?: object,
  extra: Record<string, string> = {},
): Promise<Answer> {
  return target.send({
    service: 'tables',
    method,
    url: `${target.table.url}/${target.table.name}${path}`,
    headers: {
      ...(await bearer(target, 'https://storage.azure.com/.default')),
      accept: 'application/json;odata=nometadata',
      'content-type': 'application/json',
      'x-ms-version': '2024-11-04',
      'x-ms-date': new Date().toUTCString(),
      ...extra,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
const told = ({ status, text }: Answer): string =>
  `${status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim();
const keyOf = (row: string): string => `(PartitionKey='contract',RowKey='${row}')`;
async function insert(target: Target): Promise<{ readonly row: string; readonly etag: string }> {
  const row = randomUUID();
  const answer = await table(target, 'POST', '', { PartitionKey: 'contract', RowKey: row, n: 1 });
  must(answer.status === 201 || answer.status === 204, told(answer));
  return { row, etag: answer.headers.get('etag') ?? '' };
}

export const TABLE_CLAIMS: readonly Claim[] = [
  {
    id: 'table-insert-twice',
    source: SHEET,
    says: 'a second insert of a row is 409 EntityAlreadyExists and changes nothing',
    check: async (target) => {
      const { row } = await insert(target);
      const again = await table(target, 'POST', '', { PartitionKey: 'contract', RowKey: row, n: 2 });
      must(told(again) === '409 EntityAlreadyExists', told(again));
      const read = await table(target, 'GET', keyOf(row));
      must(read.body['n'] === 1, 'the row has changed');
      return undefined;
    },
  },
  {
    id: 'table-stale-etag',
    source: SHEET,
    says: 'a write on an ETag that is not the newest is 412 UpdateConditionNotSatisfied and changes nothing',
    check: async (target) => {
      const { row, etag } = await insert(target);
      const first = await table(target, 'PUT', keyOf(row), { n: 2 }, { 'if-match': etag });
      must(first.status === 204, told(first));
      const second = await table(target, 'PUT', keyOf(row), { n: 3 }, { 'if-match': etag });
      must(told(second) === '412 UpdateConditionNotSatisfied', told(second));
      const read = await table(target, 'GET', keyOf(row));
      must(read.body['n'] === 2, 'the row has changed');
      return undefined;
    },
  },
  {
    id: 'table-no-row',
    source: SHEET,
    says: 'a row that is not there is 404 ResourceNotFound',
    check: async (target) => {
      const answer = await table(target, 'GET', keyOf('none'));
      must(told(answer) === '404 ResourceNotFound', told(answer));
      return undefined;
    },
  },
  {
    id: 'table-read-after-write',
    source: SHEET,
    says: 'a read that begins after a write has ended sees it',
    check: async (target) => {
      for (let times = 0; times < 20; times += 1) {
        const { row } = await insert(target);
        const read = await table(target, 'GET', keyOf(row));
        must(read.body['n'] === 1, told(read));
      }
      return '20 of 20';
    },
  },
];
