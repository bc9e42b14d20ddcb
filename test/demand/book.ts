/** The table of demands in memory, as both apps see it. */
import {
  type Demand,
  type DemandBook,
  type DemandStore,
  isFollowed,
  type StoredDemand,
} from '../../src/demand/demand.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

export interface Book {
  readonly issuer: DemandBook;
  readonly rotator: DemandStore;
  readonly rows: Map<string, StoredDemand>;
  /** Called before each call; throw here to let it fail. */
  before: (call: string) => void;
}

export function createBook(): Book {
  const rows = new Map<string, StoredDemand>();
  let made = 0;
  const stored = (demand: Demand & { account?: string | undefined }, takenAtMs: number): StoredDemand => {
    made += 1;
    return { ...demand, takenAtMs, etag: `etag-${made}` };
  };
  const book: Book = {
    rows,
    before: () => undefined,
    issuer: {
      async insert(demand, account) {
        book.before('insert');
        if (!rows.has(demand.id)) rows.set(demand.id, stored({ ...demand, account }, 0));
      },
      async find(id) {
        return rows.get(id);
      },
    },
    rotator: {
      async find(id) {
        book.before('find');
        return rows.get(id);
      },
      async open() {
        book.before('open');
        return [...rows.values()].filter(isFollowed);
      },
      async write(demand) {
        book.before(`write ${demand.state}`);
        if (rows.get(demand.id)?.etag !== demand.etag) return 'moved';
        const written = stored(demand, demand.takenAtMs);
        rows.set(demand.id, written);
        return written;
      },
      async sweep() {},
    },
  };
  return book;
}

export const down = (): never => {
  throw new UpstreamFailure('tables', 'is down');
};
