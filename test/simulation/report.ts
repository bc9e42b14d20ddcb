/** What a run of many schedules found, as an object and in words. */

export type Counts = Record<string, number>;

/** The fixed members of `--json`, and `reached`. */
export interface Report {
  readonly runs: number;
  readonly violations: readonly {
    readonly seed: number;
    readonly invariant: string;
    readonly trace: readonly string[];
  }[];
  readonly steps: Readonly<Counts>;
  readonly faults: Readonly<Counts>;
  /** How often each misfortune struck, by the phase in which the first account's rotation was. */
  readonly reached: Readonly<Record<string, Readonly<Counts>>>;
  readonly seconds: number;
}

export function add(sum: Counts, more: Readonly<Counts>): void {
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}

export function total(reached: Report['reached']): Counts {
  const sum: Counts = {};
  for (const counts of Object.values(reached)) add(sum, counts);
  return sum;
}

/** What some of the runs found; how long all of them took is added at the end. */
export type Found = Omit<Report, 'seconds'>;

export function merged(reports: readonly Found[], maxViolations: number): Found {
  const steps: Counts = {};
  const reached: Record<string, Counts> = {};
  for (const report of reports) {
    add(steps, report.steps);
    for (const [phase, counts] of Object.entries(report.reached)) {
      reached[phase] ??= {};
      add(reached[phase], counts);
    }
  }
  const violations = reports.flatMap((report) => report.violations).toSorted((a, b) => a.seed - b.seed);
  const runs = reports.reduce((sum, report) => sum + report.runs, 0);
  return { runs, violations: violations.slice(0, maxViolations), steps, faults: total(reached), reached };
}

export function tell({ runs, violations, steps, faults, reached, seconds }: Report): string {
  const told = violations.flatMap(({ seed, invariant, trace }) => [
    `\nseed ${seed} violates: ${invariant}`,
    ...trace.map((line) => `  ${line.slice(0, 300)}`),
  ]);
  const made = Object.entries(steps).map(([step, count]) => `${count} ${step}`);
  return [
    ...told,
    ...table(reached, Object.keys(faults).toSorted()),
    `${runs} schedules in ${seconds} s, ${violations.length} violations; steps: ${made.join(', ')}`,
  ].join('\n');
}

const PHASES = ['not adopted', 'steady', 'promoting', 'draining', 'regenerating', 'proving'];

/** Misfortunes down, phases across. */
function table(reached: Report['reached'], misfortunes: readonly string[]): string[] {
  const line = (first: string, cells: readonly (string | number)[]): string =>
    `${first.padEnd(28)}${cells.map((cell) => String(cell).padStart(13)).join('')}`;
  return [
    line('struck while', PHASES),
    ...misfortunes.map((name) =>
      line(
        name,
        PHASES.map((phase) => reached[phase]?.[name] ?? 0),
      ),
    ),
  ];
}
