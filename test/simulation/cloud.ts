/**
 * The world outside, in memory: accounts of one subscription, a vault, the tables. Everything here happens at
 * once and without fail; wire.ts is what can go wrong on the way to it.
 */
import type { StoredDemand } from '../../src/demand/demand.ts';
import type { HistoryEntry, PublishedRow, StoredRow } from '../../src/rotation/state.ts';
import { Account, type Key } from './account.ts';
import type { Chance } from './random.ts';
import { Secrets } from './secrets.ts';

export class Cloud {
  readonly keys = new Map<string, Key>();
  readonly accounts: readonly Account[];
  readonly secrets: Secrets;
  /** The machine's rows, and those that exchanges read. */
  readonly rows = new Map<string, StoredRow>();
  readonly published = new Map<string, PublishedRow>();
  demandsAsked = 0;
  readonly demands = new Map<string, StoredDemand>();
  readonly history = new Map<string, HistoryEntry>();
  /** By slot of an account: every declaration is kept, as src/azure/ledger.ts keeps it. */
  readonly ledger = new Map<string, number[]>();
  head = 0;
  /** The rotator's role on the accounts is gone for the time being. */
  roleIsGone = false;
  private etags = 0;

  constructor(chance: Chance, names: readonly string[], nowMs: number) {
    this.accounts = names.map((name) => new Account(chance, this.keys, name, nowMs));
    this.secrets = new Secrets(chance);
  }

  account(id: string): Account {
    const found = this.accounts.find((account) => account.id === id);
    if (found === undefined) throw new Error(`no such account: ${id}`);
    return found;
  }

  /** The row that the driver at work writes: the machine's, or before the move the one that exchanges read too. */
  row(account: string): StoredRow | undefined {
    const published = this.published.get(account);
    return published?.moved === false ? published : (this.rows.get(account) ?? published);
  }

  /** The conditional write of a table: 412 and 409 are 'moved'. */
  write<Row extends { readonly etag: string | undefined }>(
    table: Map<string, Row>,
    key: string,
    row: Row,
  ): { etag: string } | 'moved' {
    if (table.get(key)?.etag !== row.etag) return 'moved';
    const etag = this.newEtag();
    table.set(key, { ...row, etag });
    return { etag };
  }
  newEtag(): string {
    this.etags += 1;
    return `etag-${this.etags}`;
  }
}
