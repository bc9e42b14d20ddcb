/** Who may what: the policy as a table of callers and resources, when each cell was last used, and a draft tried out. */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { type All, isProblem } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import type { Cell } from '../../parts/csv.ts';
import { Export } from '../../parts/export.ts';
import { changing, Filters, Find } from '../../parts/filters.ts';
import { Empty, Waiting } from '../../parts/state.ts';
import { Time } from '../../parts/time.ts';
import type { ViewProps } from '../../view.ts';
import type { PolicyInForce, Usage } from '../../wire.ts';
import { CellDetails } from './cell.ts';
import { Draft } from './draft-form.ts';
import { Grid, type Shown } from './grid.ts';
import { holding, matrixOf } from './matrix.ts';
import { lastUses } from './uses.ts';

/** A change is seen by then; a large policy is a megabyte. */
const EVERY_MS = 30_000;
const USED_DAYS = 30;
const DAY_MS = 86_400_000;
const MOST_USES = 5_000;

export function Policy(view: ViewProps): VNode {
  const { api, now, filter } = view;
  const { params } = view.route;
  const asked = useAnswer<PolicyInForce>(() => api.get('policy'), [], EVERY_MS);
  const { answer } = asked;
  const version = answer?.version;
  const matrix = useMemo(() => matrixOf(answer?.policy ?? {}), [version]);
  const texts = useMemo(
    () => matrix.subjects.map(({ key, grants }) => `${key} ${grants.join(' ')}`),
    [matrix],
  );
  const today = Math.floor(now / DAY_MS + 1) * DAY_MS;
  const used = useAnswer<All<Usage>>(() => readUses(api, today), [today]);
  const uses = useMemo(() => used.answer && lastUses(used.answer.items), [used.answer]);
  const { find = '', resource = '' } = params;
  const rows = useMemo(() => holding(texts, find), [texts, find]);
  const columns = useMemo(() => holding(matrix.resources, resource), [matrix, resource]);
  const change = changing(view, { cell: undefined });
  const shown = { matrix, rows, columns, uses, now };
  const csv = () => {
    const chosen = new Set(columns);
    return rows.flatMap((row) =>
      [...matrix.given(row)]
        .filter((column) => chosen.has(column))
        .flatMap((column) => csvRows(shown, row, column)),
    );
  };
  if (!answer) return html`<${Waiting} ...${asked} />`;
  const { how, by, at, reason, shadowed } = answer;
  return html`<div class="policy">
    <p class="quiet">Version <code>${answer.version.slice(0, 12)}</code>${how && html`, ${how} by ${by}`}${at && html` on <${Time} at=${at} />`}${reason && `: ${reason}`}</p>
    <${Waiting} ...${asked} />
    ${shadowed.length > 0 && html`<p><span class="tag warn">on trial</span> ${shadowed.join('; ')}: recorded, and not in force.</p>`}
    <${Filters}>
      <${Find} label="Find callers or grants" value=${find} find=${change('find')} />
      <${Find} label="Find resources" value=${resource} find=${change('resource')} />
      <p role="status">${rows.length.toLocaleString()} rules, ${columns.length.toLocaleString()} resources</p>
      <${Export} name="policy" heads=${['Callers', 'Resource', 'Grant', 'Kinds', 'Longest life', 'Rate', 'Trial', 'Last use']} rows=${csv} />
    <//>
    ${used.problem && html`<p class="quiet">When it was last used is not known: ${used.problem.status === 404 ? 'this broker keeps no roll-ups yet.' : used.problem.detail}</p>`}
    ${
      rows.length === 0 || columns.length === 0
        ? html`<${Empty}>No such caller or resource in the policy. What is not granted is refused.<//>`
        : html`<${Grid} ...${shown} open=${(subject: string, name: string) => filter({ ...params, cell: JSON.stringify([subject, name]) })} />`
    }
    <${CellDetails} ...${{ ...shown, api }} cell=${params['cell']} close=${() => filter({ ...params, cell: undefined })} />
    <h2>Try a draft</h2>
    <${Draft} ...${{ api, now, inForce: answer }} />
  </div>`;
}
function csvRows({ matrix, uses }: Shown, row: number, column: number): Cell[][] {
  const [subject, resource = ''] = [matrix.subjects[row], matrix.resources[column]];
  return matrix
    .cell(row, column)
    .map((given) => [
      subject?.key,
      resource,
      given.grant,
      given.kinds.join(' '),
      given.maxLifetime,
      given.rate,
      given.isShadow ? 'on trial' : given.tried,
      subject && uses?.of(subject, given.grant, resource)?.at,
    ]);
}
/** By caller too, unless there are so many that the earliest alone would be read. */
async function readUses(api: ViewProps['api'], today: number) {
  const query = { from: iso(today - USED_DAYS * DAY_MS), to: iso(today), per: 'span', outcome: 'granted' };
  const exact = await api.all<Usage>('usage', { ...query, by: 'grant,resource,caller' }, MOST_USES);
  if (isProblem(exact) || !exact.more) return exact;
  return api.all<Usage>('usage', { ...query, by: 'grant,resource' }, 4 * MOST_USES);
}
const iso = (ms: number): string => new Date(ms).toISOString();
