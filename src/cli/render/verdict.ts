/** What a verification of the audit found, as people read it. */
import type { Finding, Verdict } from '../../record/verify.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { hanging } from './text.ts';
import { span } from './time.ts';

export interface ShownVerdict extends Omit<Verdict, 'closedThrough' | 'removedBefore'> {
  readonly from: string;
  readonly to: string;
  readonly source: 'broker' | 'storage';
  readonly closedThrough?: string;
  readonly removedBefore?: string;
  /** Of the last counted entry. */
  readonly hash?: string;
}
interface View {
  readonly style: Style;
  readonly width: number | undefined;
}
/** Beyond these a person reads no more; `--json` has all. */
const MOST = 50;

export function verdictText(verdict: ShownVerdict, { style, width }: View): string {
  const { from, to, source, minutes, rows, unproved, closedThrough, removedBefore, findings, late } = verdict;
  const where = source === 'storage' ? 'the storage itself' : 'what the broker answers';
  const isWhole = findings.length === 0;
  const lines = [
    isWhole
      ? style.good('Nothing was changed.')
      : style.bad(
          findings.length === 1 ? 'One thing was changed.' : `${findings.length} things were changed.`,
        ),
    `${from} to ${to}, by ${where}: ${minutes} closed minutes, ${rows} rows as they were closed.`,
    closedThrough === undefined
      ? 'Nothing is closed yet, so nothing is proved.'
      : `Closed through ${closedThrough}, hash ${verdict.hash}.`,
    ...(unproved > 0
      ? [`${unproved} rows of the span are not proved: not closed yet, or older than the chain.`]
      : []),
    ...(removedBefore === undefined
      ? []
      : [`Rows before ${removedBefore} may be gone: their time was over.`]),
  ];
  const head = lines.map((line) => `${hanging(line, 0, width)}\n`).join('');
  const changes = findings.length === 0 ? '' : `\n${changesTable(findings, style, width)}`;
  return `${head}${changes}${late.length === 0 ? '' : `\n${lateTable(verdict, style, width)}`}`;
}

function changesTable(findings: readonly Finding[], style: Style, width: number | undefined): string {
  const rows = findings.slice(0, MOST).map((finding) => {
    const { when, what } = told(finding);
    return [when, { text: finding.kind.replaceAll('_', ' '), style: style.bad }, what];
  });
  const columns = [{ head: 'MINUTE' }, { head: 'FOUND' }, { head: 'WHAT', atLeast: 20 }];
  return table(columns, rows, width, style.dim) + more(findings.length);
}

function told(finding: Finding): { when: string; what: string } {
  switch (finding.kind) {
    case 'row_changed':
    case 'row_removed':
    case 'row_inserted':
      return { when: finding.minute, what: finding.row };
    case 'rows_swapped':
      return { when: finding.minute, what: `${finding.row} and ${finding.with}` };
    case 'list_changed':
      return { when: finding.minute, what: 'the list of its rows; they are as they were' };
    case 'minute_changed':
      return { when: finding.minute, what: 'its rows, and the list that would name them' };
    case 'entry_changed':
      return { when: finding.minute, what: 'its entry in the chain' };
    case 'blob_rewritten':
      return { when: finding.minute, what: `the chain of ${finding.day}, up to this entry` };
    case 'entries_missing':
      return { when: finding.from, what: `entries through ${finding.to}` };
    case 'truncated':
      return { when: finding.from, what: `the chain's ${finding.at}, through ${finding.to}` };
    case 'entries_moved':
      return {
        when: finding.minutes[0] ?? '',
        what: `${finding.minutes.length} entries out of their places`,
      };
    case 'line_inserted':
      return { when: finding.day, what: `line ${finding.line} of the day's blob is no entry of the chain` };
    case 'cursor_behind':
      return {
        when: finding.from,
        what: `the row that says how far it is counted; closed through ${finding.to}`,
      };
    case 'cursor_missing':
      return { when: '', what: 'nothing says how far the chain must reach' };
    case 'known_missing':
      return { when: '', what: `the kept hash ${finding.hash} is not in these days' chain` };
  }
}

function lateTable({ late }: ShownVerdict, style: Style, width: number | undefined): string {
  const rows = late
    .slice(0, MOST)
    .map(({ minute, row, delaySeconds }) => [
      minute,
      delaySeconds === undefined ? 'not closed yet' : span(delaySeconds * 1_000),
      row,
    ]);
  const columns = [{ head: 'CAME LATE' }, { head: 'BY AT MOST' }, { head: 'ROW', atLeast: 20 }];
  return table(columns, rows, width, style.dim) + more(late.length);
}
const more = (count: number): string => (count > MOST ? `and ${count - MOST} more, which --json has\n` : '');
