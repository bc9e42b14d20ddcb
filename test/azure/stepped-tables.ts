/**
 * Table `state` in memory, for whoever wants to see every order of its calls: each call of each process takes effect and
 * is answered when `step` lets it, lists are read page by page, and an answer can be lost or a process killed.
 */
import type { TableClient } from '@azure/data-tables';
import type { Tables } from '../../src/azure/tables.ts';

type Row = Readonly<Record<string, unknown>> & { readonly partitionKey: string; readonly rowKey: string };

/** `refused`: it has no effect. `lost`: it has, and nobody is told. `killed`: lost, and so is all that comes after. */
export type Fate = 'served' | 'refused' | 'lost' | 'killed';
export interface Op {
  readonly kind: 'create' | 'update' | 'upsert' | 'delete' | 'get' | 'page';
  readonly partitionKey: string;
}

const PAGE = 2;
const failure = (statusCode: number, code?: string) =>
  Object.assign(new Error(code ?? 'refused'), { statusCode, code });

export class SteppedTables {
  readonly #rows = new Map<string, { readonly row: Row; readonly etag: string }>();
  readonly #step: () => Promise<void>;
  #etags = 0;

  constructor(step: () => Promise<void>) {
    this.#step = step;
  }

  /** @param fate of the next call of this process @param effect replaces what a call does, for a broken adapter */
  process(
    fate: (op: Op) => Fate,
    effect: (op: Op, row: Row | undefined, real: () => unknown) => unknown = (_op, _row, real) => real(),
  ): Tables {
    let isDead = false;
    const call = async <Result>(op: Op, row: Row | undefined, real: () => Result): Promise<Result> => {
      await this.#step();
      // A status that is not tried again: the caller is told of an outage, and decides for itself.
      if (isDead) throw failure(400);
      const ends = fate(op);
      isDead ||= ends === 'killed';
      if (ends === 'refused') throw failure(400);
      const result = effect(op, row, real) as Result;
      await this.#step();
      if (ends !== 'served') throw failure(400);
      return result;
    };
    const client = {
      getEntity: (partitionKey: string, rowKey: string) =>
        call({ kind: 'get', partitionKey }, undefined, () => {
          const found = this.#rows.get(id({ partitionKey, rowKey }));
          if (found === undefined) throw failure(404, 'ResourceNotFound');
          return { ...found.row, etag: found.etag };
        }),
      createEntity: (row: Row) =>
        call({ kind: 'create', partitionKey: row.partitionKey }, row, () => {
          if (this.#rows.has(id(row))) throw failure(409, 'EntityAlreadyExists');
          return this.#put(row);
        }),
      updateEntity: (row: Row, _mode: string, { etag }: { etag: string }) =>
        call({ kind: 'update', partitionKey: row.partitionKey }, row, () => {
          const found = this.#rows.get(id(row));
          if (found === undefined) throw failure(404, 'ResourceNotFound');
          if (found.etag !== etag) throw failure(412, 'UpdateConditionNotSatisfied');
          return this.#put(row);
        }),
      upsertEntity: (row: Row) =>
        call({ kind: 'upsert', partitionKey: row.partitionKey }, row, () => this.#put(row)),
      deleteEntity: (partitionKey: string, rowKey: string, { etag }: { etag?: string } = {}) =>
        call({ kind: 'delete', partitionKey }, undefined, () => {
          const found = this.#rows.get(id({ partitionKey, rowKey }));
          if (found === undefined) throw failure(404, 'ResourceNotFound');
          if (etag !== undefined && found.etag !== etag) throw failure(412, 'UpdateConditionNotSatisfied');
          this.#rows.delete(id({ partitionKey, rowKey }));
        }),
      listEntities: ({ queryOptions: { filter } }: { queryOptions: { filter: string } }) => {
        const pages = (size: number) => this.#pages(filter, size, call);
        return {
          byPage: ({ maxPageSize = PAGE }: { maxPageSize?: number }) => pages(maxPageSize),
          async *[Symbol.asyncIterator]() {
            for await (const page of pages(PAGE)) yield* page;
          },
        };
      },
    };
    return async () => client as unknown as TableClient;
  }

  async *#pages(
    filter: string,
    size: number,
    call: <Result>(op: Op, row: undefined, real: () => Result) => Promise<Result>,
  ): AsyncGenerator<Row[]> {
    const [, partitionKey = '', operator, bound = ''] =
      /^PartitionKey eq '([^']*)'(?: and RowKey (le|ge) '([^']*)')?$/.exec(filter) ?? [];
    let after = '';
    for (;;) {
      const page = await call({ kind: 'page', partitionKey }, undefined, () =>
        [...this.#rows.values()]
          .map(({ row, etag }) => ({ ...row, etag }))
          .filter((row) => row.partitionKey === partitionKey && row.rowKey > after)
          .filter(
            ({ rowKey }) => operator === undefined || (operator === 'le' ? rowKey <= bound : rowKey >= bound),
          )
          .sort((a, b) => (a.rowKey < b.rowKey ? -1 : 1))
          .slice(0, size),
      );
      yield page;
      const last = page.at(-1);
      if (last === undefined || page.length < size) return;
      after = last.rowKey;
    }
  }

  /** As the service stores it: numbers as numbers. */
  #put(row: Row): unknown {
    this.#etags += 1;
    const plain = Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'object' && value !== null && 'value' in value ? value.value : value,
    ]);
    this.#rows.set(id(row), { row: Object.fromEntries(plain) as Row, etag: String(this.#etags) });
    return {};
  }
}

const id = ({ partitionKey, rowKey }: { partitionKey: string; rowKey: string }) =>
  `${partitionKey} ${rowKey}`;
