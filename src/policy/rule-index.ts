/**
 * Finds the grants that hold for a caller among thousands, without a look at each rule. A rule holds only where all its
 * conditions hold, so it is enough to look for it by one of them: the one whose value the fewest rules want.
 */

interface Condition<Name> {
  readonly condition: Name;
  readonly wanted: string;
}
interface Holder<Rule> {
  readonly conditions: readonly Rule[];
}

/**
 * @param holders in any order
 * @returns which of the grants in `groups` have a rule that is met; `had` is what the caller has for a condition
 */
export function ruleIndex<
  Name extends string,
  Rule extends readonly Condition<Name>[],
  Grant extends Holder<Rule>,
>(
  holders: readonly (Grant & Holder<Rule>)[],
): (
  groups: readonly ReadonlySet<Grant>[],
  had: (condition: Name) => string | readonly string[],
  isMet: (rule: Rule) => boolean,
) => ReadonlySet<Grant> {
  const index = indexed<Name, Rule, Grant>(holders);
  return (groups, had, isMet) => {
    const found = new Set<Grant>();
    const among = groups.reduce((sum, { size }) => sum + size, 0);
    for (const [condition, byValue] of index) {
      const values = had(condition);
      for (const value of typeof values === 'string' ? [values] : values) {
        const holding = byValue.get(value);
        if (holding === undefined) continue;
        // Of two lists that must have a grant in common, only the shorter one is walked.
        if (holding.size <= among) {
          for (const [grant, rules] of holding)
            if (groups.some((group) => group.has(grant)) && rules.some(isMet)) found.add(grant);
        } else {
          for (const group of groups)
            for (const grant of group) if (holding.get(grant)?.some(isMet)) found.add(grant);
        }
      }
    }
    return found;
  };
}

/** Every rule under the rarest of its values. */
function indexed<Name extends string, Rule extends readonly Condition<Name>[], Grant extends Holder<Rule>>(
  holders: readonly Grant[],
): ReadonlyMap<Name, ReadonlyMap<string, ReadonlyMap<Grant, readonly Rule[]>>> {
  const counts = new Map<Name, Map<string, number>>();
  for (const { conditions } of holders)
    for (const rule of conditions)
      for (const { condition, wanted } of rule) {
        const count = entry(counts, condition, () => new Map<string, number>());
        count.set(wanted, (count.get(wanted) ?? 0) + 1);
      }
  const index = new Map<Name, Map<string, Map<Grant, Rule[]>>>();
  for (const grant of holders)
    for (const rule of grant.conditions) {
      const count = ({ condition, wanted }: Condition<Name>): number =>
        counts.get(condition)?.get(wanted) ?? 0;
      const [first, ...others] = rule;
      // A rule without any condition would hold for everybody. It is found for nobody.
      if (first === undefined) continue;
      const { condition, wanted } = others.reduce<Condition<Name>>(
        (rarest, other) => (count(other) < count(rarest) ? other : rarest),
        first,
      );
      const byValue = entry(index, condition, () => new Map<string, Map<Grant, Rule[]>>());
      entry(
        entry(byValue, wanted, () => new Map<Grant, Rule[]>()),
        grant,
        (): Rule[] => [],
      ).push(rule);
    }
  return index;
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, initial: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = initial();
  map.set(key, made);
  return made;
}
