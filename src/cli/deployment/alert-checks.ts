/** Whether somebody is told: each alert rule of infra/ is there and switched on. */
import { DEPLOYED_ALERTS } from '../../deployed-names.ts';
import { type Check, type Finding, judged } from './check.ts';
import type { AlertRule, Evidence } from './evidence.ts';

export function alertChecks({ prefix, logAlerts, metricAlerts, topics }: Evidence): readonly Check[] {
  const logNames = DEPLOYED_ALERTS.map((name) => `${prefix}-${name}`);
  const metricNames = ('seen' in topics ? topics.seen : []).map(
    ({ name }) => `${prefix}-dead-letters-${name}`,
  );
  const of = (names: readonly string[]) => (found: readonly AlertRule[]) => findingsOf(names, prefix, found);
  return [
    ...judged('log alerts', logAlerts, of(logNames), `all ${logNames.length} are there and switched on`),
    ...judged(
      'alerts',
      metricAlerts,
      of(metricNames),
      'for dead letters and for /health: there and switched on',
    ),
  ];
}

/** A rule that is there and not expected, such as the one of /health behind Front Door, is judged when it is off. */
function findingsOf(
  names: readonly string[],
  prefix: string,
  found: readonly AlertRule[],
): readonly Finding[] {
  const missing = names
    .filter((name) => !found.some((each) => each.name.toLowerCase() === name.toLowerCase()))
    .map((name) => ({ says: `the alert rule ${name} is missing`, todo: 'azd provision' }));
  const off = found
    .filter(({ name, properties }) => name.startsWith(`${prefix}-`) && properties.enabled === false)
    .map(({ name }) => ({
      says: `the alert rule ${name} is disabled`,
      todo: 'azd provision, or enable it in the portal.',
    }));
  return [...missing, ...off];
}
