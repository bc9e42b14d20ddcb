/**
 * A container with a time-based immutability policy that allows protected appends, inside Azurite: a blob can be made
 * and appended to; what would change or remove what is there is refused, whoever asks, the account's own key included.
 * https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview
 *
 * Not simulated: that the policy ends. The local mode does not run for so long that a blob would outlive it.
 */

interface Context {
  readonly contextId?: string;
}
interface Created {
  readonly accountName: string;
  readonly containerName: string;
  readonly name: string;
}
type Write = (...args: never[]) => Promise<unknown>;
/** What is used of Azurite's store of blobs. */
export interface BlobStore {
  getBlobType(account: string, container: string, blob: string): Promise<unknown>;
  createBlob(context: Context, blob: Created, lease: unknown, conditions: unknown): Promise<unknown>;
  commitBlockList(context: Context, blob: Created, ...rest: never[]): Promise<unknown>;
  deleteContainer(context: Context, account: string, container: string, ...rest: never[]): Promise<unknown>;
}

const CONFLICT = 409;
const CODE = 'BlobImmutableDueToPolicy';
const MESSAGE = 'This operation is not permitted as the blob is immutable due to a policy.';

/** Azurite's calls that change or remove a blob, with `(context, account, container, blob, …)`. */
const CHANGES = ['deleteBlob', 'setBlobHTTPHeaders', 'setBlobMetadata', 'createSnapshot', 'setTier'] as const;
/** Those that put a blob over another one, with `(context, source, destination, …)`. */
const COPIES = ['startCopyFromURL', 'copyFromURL'] as const;

export function makeImmutable(
  store: BlobStore,
  immutable: string,
  errorOf: (status: number, code: string, message: string, request: string) => Error,
): void {
  const refused = ({ contextId = '' }: Context) => errorOf(CONFLICT, CODE, MESSAGE, contextId);
  const exists = async ({ accountName, containerName, name }: Created) =>
    containerName === immutable && (await store.getBlobType(accountName, containerName, name)) !== undefined;

  const create = store.createBlob.bind(store);
  store.createBlob = async (context, blob, lease, conditions) => {
    // Who asks for it only where there is none yet is told so by Azurite itself.
    const isOnlyNew = (conditions as { ifNoneMatch?: string } | undefined)?.ifNoneMatch === '*';
    if (!isOnlyNew && (await exists(blob))) throw refused(context);
    return create(context, blob, lease, conditions);
  };
  const commit = store.commitBlockList.bind(store);
  store.commitBlockList = async (context, blob, ...rest) => {
    if (await exists(blob)) throw refused(context);
    return commit(context, blob, ...rest);
  };
  const drop = store.deleteContainer.bind(store);
  store.deleteContainer = async (context, account, container, ...rest) => {
    if (container === immutable) throw refused(context);
    return drop(context, account, container, ...rest);
  };
  const others = store as unknown as Record<string, Write>;
  for (const name of CHANGES) {
    const change = others[name]?.bind(store);
    if (change === undefined) throw new Error(`Azurite has no ${name} any more`);
    others[name] = async (...args) => {
      const [context, , container] = args as unknown as [Context, string, string];
      if (container === immutable) throw refused(context);
      return change(...args);
    };
  }
  for (const name of COPIES) {
    const copy = others[name]?.bind(store);
    if (copy === undefined) throw new Error(`Azurite has no ${name} any more`);
    others[name] = async (...args) => {
      const [context, , to] = args as unknown as [
        Context,
        unknown,
        { account: string; container: string; blob: string },
      ];
      if (await exists({ accountName: to.account, containerName: to.container, name: to.blob }))
        throw refused(context);
      return copy(...args);
    };
  }
}
