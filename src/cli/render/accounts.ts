/** Accounts as operators read them. */
import type { Account, Step } from '../../rotation/shown.ts';
import type { Style } from './style.ts';
import { type Cell, facts, table } from './table.ts';
import { wrap } from './text.ts';
import { span, type Times } from './time.ts';

export interface View {
  readonly style: Style;
  readonly times: Times;
  readonly width: number | undefined;
}

export function accountsText(accounts: readonly Account[], { style, times, width }: View): string {
  if (accounts.length === 0) return 'The policy names no account.\n';
  const rows = accounts.map((account): (Cell | string | undefined)[] => {
    const { name, active, rotates } = account;
    if (!rotates) return [name, { text: 'not rotated', style: style.dim }];
    return [
      name,
      stateOf(account, style),
      active,
      age(account, times, style),
      due(account, times, style),
      waitsFor(account, times),
    ];
  });
  const columns = [
    { head: 'ACCOUNT', atLeast: 12 },
    { head: 'STATE', atLeast: 19 },
    { head: 'ACTIVE', giveWay: 3 },
    { head: 'KEY MADE', giveWay: 2 },
    { head: 'DUE', giveWay: 1 },
    { head: 'WAITS FOR', atLeast: 20 },
  ];
  const blocked = accounts.flatMap(({ name, blocked }) =>
    blocked?.advice === undefined ? [] : wrap(`${name}: ${blocked.advice}`, (width ?? 100) - 2),
  );
  const todo = blocked.length === 0 ? '' : `\n${blocked.map((line) => style.warn(line)).join('\n')}\n`;
  return `${table(columns, rows, width, style.dim)}${todo}`;
}

function stateOf({ state = 'not seen yet', stuck, paused, blocked, overdue }: Account, style: Style): Cell {
  if (stuck || overdue) return { text: overdue && !stuck ? `overdue: ${state}` : state, style: style.bad };
  if (paused !== undefined) return { text: `paused: ${state}`, style: style.warn };
  if (blocked !== undefined) return { text: state, style: style.warn };
  return { text: state, style: state === 'steady' ? style.good : style.bold };
}

/** Of the key in use. */
function age({ active, slots = [] }: Account, times: Times, style: Style): Cell {
  const since = slots.find(({ slot }) => slot === active)?.since;
  return since === undefined ? { text: 'unknown', style: style.warn } : { text: times.brief(since) ?? '' };
}

function due({ dueAt, overdue }: Account, times: Times, style: Style): Cell {
  return { text: times.brief(dueAt) ?? '', ...(overdue && { style: style.bad }) };
}

/** Nothing, where the time it is due says it all. */
const waitsFor = (account: Account, times: Times): string | undefined =>
  account.phase === 'steady' && account.blocked === undefined && account.paused === undefined
    ? undefined
    : nextOf(account, account.next, times);

function nextOf({ blocked, paused }: Account, next: Account['next'], times: Times): string {
  if (blocked !== undefined) return blocked.what;
  if (paused !== undefined) return `paused by ${paused.by}: ${paused.reason}`;
  const until = times.at(next?.at);
  return `${next?.what ?? ''}${until === undefined ? '' : `, ${until}`}`;
}

export function accountText(
  account: Account & { readonly lags?: { readonly newKeyLagMs?: number; readonly oldKeyLagMs?: number } },
  history: readonly Step[],
  view: View,
): string {
  const { style, times, width } = view;
  const { name, kind, tokenKinds, rotates, slots = [], next, blocked, paused, lags } = account;
  const head = facts(
    [
      ['account', { text: name, style: style.bold }],
      ['kind', kind],
      ['tokens', tokenKinds.join(', ')],
      ['state', rotates ? stateOf(account, style) : 'its keys are not rotated'],
      ['looked at', times.at(account.asOf)],
      [
        'next',
        next === undefined
          ? undefined
          : nextOf({ ...account, blocked: undefined, paused: undefined }, next, times),
      ],
      ['blocked', blocked && { text: `${blocked.what} (${blocked.code})`, style: style.bad }],
      ['to do', blocked?.advice && { text: blocked.advice, style: style.warn }],
      ['paused', paused && `by ${paused.by}${paused.at ? ` ${times.at(paused.at)}` : ''}: ${paused.reason}`],
      ['due', account.dueAt === undefined ? undefined : due(account, times, style)],
      ['rotated', rotates ? (times.at(account.rotatedAt) ?? 'not since it was adopted') : undefined],
      ['new key accepted', lags?.newKeyLagMs === undefined ? undefined : `within ${span(lags.newKeyLagMs)}`],
      ['old key refused', lags?.oldKeyLagMs === undefined ? undefined : `within ${span(lags.oldKeyLagMs)}`],
    ],
    style.dim,
    width,
  );
  const slotRows = slots.map(({ slot, state, fingerprint, since, tokensUntil }) => [
    slot,
    state,
    fingerprint,
    times.at(since) ?? { text: 'unknown', style: style.warn },
    times.at(tokensUntil),
  ]);
  const slotColumns = ['SLOT', 'STATE', 'FINGERPRINT', 'MADE', 'ITS TOKENS LIVE'].map((each, at) => ({
    head: each,
    ...(at === 4 && { giveWay: 1 }),
  }));
  const slotsText = slots.length === 0 ? '' : `\n${table(slotColumns, slotRows, width, style.dim)}`;
  return `${head}${slotsText}${history.length === 0 ? '' : `\n${historyText(history, view)}`}`;
}

function historyText(history: readonly Step[], { style, times, width }: View): string {
  const rows = history.map(({ at, from, to, what, tookMs, emergency, newKeyLagMs, oldKeyLagMs }) => {
    const lags = [
      newKeyLagMs === undefined ? '' : `, new key accepted within ${span(newKeyLagMs)}`,
      oldKeyLagMs === undefined ? '' : `, old key refused within ${span(oldKeyLagMs)}`,
    ].join('');
    return [
      times.at(at),
      { text: to, ...(emergency && { style: style.bad }) },
      span(tookMs),
      `${emergency ? 'EMERGENCY ' : ''}${what}${lags} (${from})`,
    ];
  });
  const columns = [
    { head: 'WHEN' },
    { head: 'THEN' },
    { head: 'TOOK', giveWay: 1 },
    { head: 'WHY', atLeast: 20 },
  ];
  return table(columns, rows, width, style.dim);
}
