/** An explanation in sentences. Pure. */
import type { Explanation } from '../../wire.ts';

/** An auditor is told all; a caller its own part of it, which the console never asks for. */
export type Full = Extract<Explanation, { grants: unknown }>;
type Now = NonNullable<Full['now']>;
export type Grant = Full['grants'][number];
export type Condition = Grant['conditions'][number];

export const isFull = (explanation: Explanation): explanation is Full => 'grants' in explanation;

const list = (value: string | readonly string[]): string => {
  const text = typeof value === 'string' ? value : value.join(', ');
  return text === '' ? 'nothing' : text;
};

const NAMES: { readonly [name in Condition['condition']]: string } = {
  tenant: 'tenant',
  clientId: 'client id',
  objectId: 'object id',
  blueprint: 'agent blueprint',
  appRole: 'app role',
  scope: 'scope',
  group: 'group',
  tokenKind: 'token kind',
};

export function conditionWords({ condition, wanted, had, met }: Condition): string {
  const name = NAMES[condition];
  return met
    ? `${name}: ${list(wanted)}`
    : `${name}: ${list(wanted)} is wanted, and the caller has ${list(had)}`;
}

/** Rule by rule, and then what holds for the whole grant. */
export const rulesOf = ({
  conditions,
}: Grant): readonly (readonly [rule: number | undefined, conditions: readonly Condition[]])[] => [
  ...Map.groupBy(conditions, ({ rule }) => rule),
];

/** The nearest first: a grant of which one condition fails says more than one of which all do. */
export const byNearness = (grants: readonly Grant[]): readonly Grant[] =>
  grants.toSorted((one, other) => missing(one) - missing(other));
const missing = ({ applies, conditions }: Grant): number =>
  applies ? 0 : Math.max(1, conditions.filter(({ met }) => !met).length);

export function headline({
  outcome,
  reason,
  grant,
  tokenKind,
}: Pick<Now, 'outcome' | 'reason' | 'grant' | 'tokenKind'>): string {
  if (outcome === 'refused') return `Refused: ${reason ?? 'no grant gives it'}`;
  if (grant === undefined) return 'Granted';
  return `Granted under ${grant}${tokenKind === undefined ? '' : `, as ${tokenKind} token`}`;
}

/** What the same caller would be answered now, where that differs from what it was answered. */
export function nowWords({ outcome, now }: Full): string | undefined {
  if (now === undefined) return undefined;
  return now.outcome === outcome
    ? `Asked again now, it would be ${outcome} too.`
    : `Asked again now, it would be ${now.outcome}.`;
}
