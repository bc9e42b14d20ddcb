/** What the operators' API answers, as types only: nothing of the broker's code is in the page. */
import type * as z from 'zod';
import type { audit, explanation, whatIf } from '../http/openapi-audit-shapes.ts';
import type { operatorShapes } from '../http/openapi-operator-shapes.ts';
import type { policyShapes } from '../http/openapi-policy-shapes.ts';
import type { recordShapes } from '../http/openapi-record-shapes.ts';

type Shapes = typeof operatorShapes;
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Send as `after` for the next page. */
  readonly next?: string | undefined;
}
export type Account = z.infer<Shapes['account']>;
export type Step = z.infer<Shapes['history']>['items'][number];
export type Operation = z.infer<Shapes['operation']>;
export type Revocation = z.infer<Shapes['revocations']>['items'][number];
export type RevocationRequest = z.infer<Shapes['revocationRequest']>;
export type RevocationEffect = z.infer<Shapes['revocationEffect']>;
export type Lifted = z.infer<Shapes['lifted']>;
export type BrokerEvent = z.infer<Shapes['events']>['items'][number];
export type AuditRecord = z.infer<typeof audit>['items'][number];
export type Explanation = z.infer<typeof explanation>;
export type WhatIf = z.infer<typeof whatIf>;
export type PolicyInForce = z.infer<(typeof policyShapes)['policyInForce']>;
export type PolicyVersions = z.infer<(typeof policyShapes)['policyVersions']>;

/** Roll-ups of the record: how often in the period that begins `at`, with the dimensions that were asked for. */
export type Usage = z.infer<(typeof recordShapes)['usage']>['items'][number];
export type ProofPage = z.infer<(typeof recordShapes)['proof']>;
export type PolicyApplied = z.infer<(typeof policyShapes)['policyApplied']>;
