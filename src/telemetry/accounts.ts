/** What the rotator knew of each account at its last tick, and how far the audit is behind: gauges. */
import type { Meter, ObservableResult } from '@opentelemetry/api';

/** The part of a plan that is measured (rotation/plan-row.ts). Times are in RFC 3339. */
export interface Plan {
  readonly resource: string;
  readonly stuck?: boolean | undefined;
  readonly overdueAt?: string | undefined;
  readonly slots?:
    | readonly {
        readonly slot: string;
        readonly since?: string | undefined;
        readonly tokensUntil?: string | undefined;
      }[]
    | undefined;
}
export interface Accounts {
  readonly plans: Map<string, Plan>;
  closingLagMinutes: number | undefined;
  nowMs: () => number;
}
export const accounts: Accounts = { plans: new Map(), closingLagMinutes: undefined, nowMs: () => Date.now() };

export function observeAccounts(meter: Meter, known: Accounts): void {
  const gauge = (
    name: string,
    options: { readonly description: string; readonly unit?: string },
    observe: (result: ObservableResult, plan: Plan, nowMs: number) => void,
  ): void =>
    meter.createObservableGauge(name, options).addCallback((result) => {
      for (const plan of known.plans.values()) observe(result, plan, known.nowMs());
    });
  gauge(
    'broker.key.age',
    { description: 'Age of each key', unit: 's' },
    (result, { resource, slots }, nowMs) => {
      for (const { slot, since } of slots ?? [])
        if (since !== undefined)
          result.observe((nowMs - Date.parse(since)) / 1000, {
            'broker.resource': resource,
            'broker.slot': slot,
          });
    },
  );
  gauge(
    'broker.drain.left',
    { description: 'Until the last token of the retiring key has expired', unit: 's' },
    (result, { resource, slots }, nowMs) => {
      const left = (slots ?? []).flatMap(({ tokensUntil }) =>
        tokensUntil === undefined ? [] : [(Date.parse(tokensUntil) - nowMs) / 1000],
      );
      result.observe(Math.max(0, ...left), { 'broker.resource': resource });
    },
  );
  gauge('broker.rotation.overdue', { description: '1: a rotation should be over' }, (result, plan, nowMs) => {
    const isOverdue = plan.overdueAt !== undefined && Date.parse(plan.overdueAt) < nowMs;
    result.observe(isOverdue ? 1 : 0, { 'broker.resource': plan.resource });
  });
  gauge('broker.rotation.stuck', { description: '1: only rare tries are made' }, (result, plan) =>
    result.observe(plan.stuck === true ? 1 : 0, { 'broker.resource': plan.resource }),
  );
  meter
    .createObservableGauge('broker.audit.closing_lag', {
      description: 'How far the closing of the audit is behind',
      unit: 's',
    })
    .addCallback((result) => {
      if (known.closingLagMinutes !== undefined) result.observe(known.closingLagMinutes * 60);
    });
}
