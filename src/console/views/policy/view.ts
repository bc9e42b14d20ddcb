/** Who may what: the policy as a table of callers and resources, when each cell was last used, and a draft tried out. */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { All } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import type { Cell } from '../../parts/csv.ts';
import { Export } from '../../parts/export.ts';
import { Find } from '../../parts/filters.ts';
import { Empty, Failed, Loading } from '../../parts/state.ts';
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
const MOST_USES = 20_000;

export function Policy({ api, route: { params }, filter, now }: ViewProps): VNode {
  const { answer, problem, again } = useAnswer<PolicyInForce>(() => api.get('policy'), [], EVERY_MS);
  const version = answer?.version;
  const matrix = useMemo(() => matrixOf(answer?.policy ?? {}), [version]);
  const texts = useMemo(
    () => matrix.subjects.map(({ key, grants }) => `${key} ${grants.join(' ')}`),
    [matrix],
  );
  const today = Math.floor(now / DAY_MS + 1) * DAY_MS;
  const uses = useAnswer<All<Usage>>(
    () =>
      api.all(
        'usage',
        {
          from: iso(today - USED_DAYS * DAY_MS),
          to: iso(today),
          by: 'grant,resource,caller',
          per: 'month',
          outcome: 'granted',
        },
        MOST_USES,
      ),
    [today],
  );
  const lastUse = useMemo(() => (uses.answer ? lastUses(uses.answer.items) : undefined), [uses.answer]);
  const { find = '', resource = '' } = params;
  const rows = useMemo(() => holding(texts, find), [texts, find]);
  const columns = useMemo(() => holding(matrix.resources, resource), [matrix, resource]);
  const change = (name: string) => (value: string) =>
    filter({ ...params, [name]: value || undefined, cell: undefined });
  const shown = { matrix, rows, columns, lastUse, now };
  const csv = () => {
    const chosen = new Set(columns);
    return rows.flatMap((row) =>
      [...matrix.given(row)]
        .filter((column) => chosen.has(column))
        .flatMap((column) => csvRows(shown, row, column)),
    );
  };
  if (!answer) return problem ? html`<${Failed} problem=${problem} again=${again} />` : html`<${Loading} />`;
  const { how, by, at, reason, shadowed } = answer;
  return html`<div class="policy">
    <p class="quiet">Version <code>${answer.version.slice(0, 12)}</code>${how && html`, ${how} by ${by}`}${at && html` on <${Time} at=${at} />`}${reason && `: ${reason}`}</p>
    ${problem && html`<${Failed} problem=${problem} again=${again} />`}
    ${shadowed.length > 0 && html`<p><span class="tag warn">on trial</span> ${shadowed.join('; ')}: recorded, and not in force.</p>`}
    <form class="row filters" onSubmit=${(event: Event) => event.preventDefault()}>
      <${Find} label="Find callers or grants" value=${find} find=${change('find')} />
      <${Find} label="Find resources" value=${resource} find=${change('resource')} />
      <p role="status">${rows.length.toLocaleString()} rules, ${columns.length.toLocaleString()} resources</p>
      <${Export} name="policy" heads=${['Callers', 'Resource', 'Grant', 'Kinds', 'Longest life', 'Rate', 'Trial', 'Last use']} rows=${csv} />
    </form>
    ${uses.problem && html`<p class="quiet">When it was last used is not known: ${uses.problem.status === 404 ? 'this broker keeps no roll-ups yet.' : uses.problem.detail}</p>`}
    ${
      rows.length === 0 || columns.length === 0
        ? html`<${Empty}>No such caller or resource in the policy. What is not granted is refused.<//>`
        : html`<${Grid} ...${shown} open=${(subject: string, name: string) => filter({ ...params, cell: JSON.stringify([subject, name]) })} />`
    }
    <${CellDetails} ...${shown} cell=${params['cell']} close=${() => filter({ ...params, cell: undefined })} />
    <h2>Try a draft</h2>
    <${Draft} ...${{ api, now, inForce: answer }} />
  </div>`;
}
function csvRows({ matrix, lastUse }: Shown, row: number, column: number): Cell[][] {
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
      subject && lastUse?.(subject, given, resource),
    ]);
}
const iso = (ms: number): string => new Date(ms).toISOString();
