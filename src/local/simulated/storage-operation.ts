/**
 * What a call to Azure Storage does, from its first line and headers alone: its name for faults and the request log,
 * and the data actions of which a caller's role must hold one set.
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
 */
export type StorageService = 'tables' | 'queues' | 'blobs';

export interface StorageOperation {
  /** `GetEntity state`, `PutMessage demands`, `AppendBlock proof`. */
  readonly name: string;
  /** The table, queue or container. */
  readonly resource: string | undefined;
  /** Any one of these sets is enough. None: no identity of the broker may do it. */
  readonly dataActions: readonly (readonly string[])[];
}

const ENTITIES = 'Microsoft.Storage/storageAccounts/tableServices/tables/entities';
const CONTAINERS = 'Microsoft.Storage/storageAccounts/blobServices/containers';
const MESSAGES = 'Microsoft.Storage/storageAccounts/queueServices/queues/messages';

/** @param isConditional the call has If-Match: it changes a row and never makes one */
export function storageOperation(
  service: StorageService,
  method: string,
  url: string,
  isConditional: boolean,
): StorageOperation {
  switch (service) {
    case 'tables':
      return tableOperation(method, url, isConditional);
    case 'queues':
      return queueOperation(method, url);
    case 'blobs':
      return blobOperation(method, url);
  }
}

function tableOperation(method: string, url: string, isConditional: boolean): StorageOperation {
  // /account/table, /account/table() or /account/table(PartitionKey='..',RowKey='..')
  const [, table = '', key] = /^\/[^/]+\/([^/?(]+)(\([^?]*\))?/.exec(url.split('?', 1)[0] ?? '') ?? [];
  if (table === '$batch') return { name: 'Transaction', resource: undefined, dataActions: [] };
  if (table === 'Tables') {
    const name = { POST: 'CreateTable', DELETE: 'DeleteTable' }[method] ?? 'QueryTables';
    return { name, resource: undefined, dataActions: [] };
  }
  const isEntity = key !== undefined && key !== '()';
  const named = (name: string, ...dataActions: readonly (readonly string[])[]) => ({
    name: `${name} ${table}`,
    resource: table,
    dataActions,
  });
  const write = [`${ENTITIES}/write`];
  const add = `${ENTITIES}/add/action`;
  const update = `${ENTITIES}/update/action`;
  switch (method) {
    case 'GET':
      return named(isEntity ? 'GetEntity' : 'QueryEntities', [`${ENTITIES}/read`]);
    case 'POST':
      return named('InsertEntity', write, [add]);
    case 'PUT':
      return isConditional
        ? named('UpdateEntity', write, [update])
        : named('InsertOrReplaceEntity', write, [add, update]);
    case 'PATCH':
    case 'MERGE':
      return isConditional
        ? named('MergeEntity', write, [update])
        : named('InsertOrMergeEntity', write, [add, update]);
    case 'DELETE':
      return named('DeleteEntity', [`${ENTITIES}/delete`]);
    default:
      return named(method);
  }
}

function queueOperation(method: string, url: string): StorageOperation {
  const [path = '', query = ''] = url.split('?', 2);
  const [, , queue, area, message] = path.split('/');
  const named = (name: string, ...dataActions: readonly (readonly string[])[]) => ({
    name: queue ? `${name} ${queue}` : name,
    resource: queue || undefined,
    dataActions,
  });
  if (area !== 'messages') {
    if (!queue) return named('ListQueues');
    const isRead = method === 'GET' || method === 'HEAD';
    const queues = 'Microsoft.Storage/storageAccounts/queueServices/queues';
    if (isRead) return named('GetQueueProperties', [`${queues}/read`]);
    return method === 'PUT' ? named('CreateQueue', [`${queues}/write`]) : named('DeleteQueue');
  }
  switch (method) {
    case 'POST':
      return named('PutMessage', [`${MESSAGES}/write`], [`${MESSAGES}/add/action`]);
    case 'GET':
      return query.includes('peekonly=true')
        ? named('PeekMessages', [`${MESSAGES}/read`])
        : named('GetMessages', [`${MESSAGES}/process/action`], [`${MESSAGES}/delete`, `${MESSAGES}/read`]);
    case 'PUT':
      return named('UpdateMessage', [`${MESSAGES}/write`]);
    case 'DELETE':
      return message
        ? named('DeleteMessage', [`${MESSAGES}/process/action`], [`${MESSAGES}/delete`])
        : named('ClearMessages', [`${MESSAGES}/delete`]);
    default:
      return named(method);
  }
}

/** Without a look at the blob: whether one would be put over another is for Azurite (immutable-container.ts). */
function blobOperation(method: string, url: string): StorageOperation {
  const [path = '', query = ''] = url.split('?', 2);
  const [, , container, blob] = path.split('/');
  const component = new URLSearchParams(query).get('comp');
  const named = (name: string, ...actions: readonly string[]) => ({
    name: container ? `${name} ${container}` : name,
    resource: container || undefined,
    dataActions: actions.map((action) => [`${CONTAINERS}/${action}`]),
  });
  const isRead = method === 'GET' || method === 'HEAD';
  if (!container) return named(isRead ? 'ListContainers' : method);
  if (!blob) {
    if (isRead)
      return component === 'list' ? named('ListBlobs', 'blobs/read') : named('GetContainer', 'read');
    return method === 'PUT' ? named('CreateContainer', 'write') : named('DeleteContainer', 'delete');
  }
  switch (method) {
    case 'GET':
      return named('GetBlob', 'blobs/read');
    case 'HEAD':
      return named('GetBlobProperties', 'blobs/read');
    case 'DELETE':
      return named('DeleteBlob', 'blobs/delete');
    case 'PUT':
      if (component === null) return named('PutBlob', 'blobs/write', 'blobs/add/action');
      if (component === 'appendblock') return named('AppendBlock', 'blobs/write', 'blobs/add/action');
      return named(`SetBlob-${component}`, 'blobs/write');
    default:
      return named(method);
  }
}
