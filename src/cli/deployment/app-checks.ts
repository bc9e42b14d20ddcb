/** What the two apps run: every function there and switched on, and both of one build. */
import { DEPLOYED_FUNCTIONS } from '../../deployed-names.ts';
import type { AppName } from '../../settings.ts';
import { type Check, checksOf, type Finding, judged, type Looked, skip } from './check.ts';
import type { Evidence, SiteDeployment, SiteFunction } from './evidence.ts';

export function appChecks({ functions, deployments }: Evidence): readonly Check[] {
  return [
    ...(['issuer', 'rotator'] as const).flatMap((app) =>
      judged(
        `functions of ${app}`,
        functions[app],
        (found) => functionFindings(app, found),
        `all ${Object.keys(DEPLOYED_FUNCTIONS[app]).length} are there and switched on`,
      ),
    ),
    ...versionChecks(deployments),
  ];
}

function functionFindings(app: AppName, found: readonly SiteFunction[]): readonly Finding[] {
  const expected = DEPLOYED_FUNCTIONS[app];
  const isTimer = (name: string) => expected[name] === 'timerTrigger';
  const missing = Object.keys(expected).filter((name) => !found.some((each) => each.name === name));
  const unknown = found.map(({ name }) => name).filter((name) => !(name in expected));
  const off = found.filter(({ name, isDisabled }) => name in expected && isDisabled === true);
  return [
    ...missing.map((name) => ({
      says: `the ${isTimer(name) ? 'timer' : 'function'} ${name} is missing`,
      todo: `azd deploy ${app}: the package is of another version, or it does not load (the app's log says why).`,
    })),
    ...unknown.map((name) => ({
      says: `the function ${name} is not of this version`,
      todo: `azd deploy ${app}, or use the command of the version that is deployed.`,
    })),
    ...off.map(({ name }) => ({
      says: `the ${isTimer(name) ? 'timer' : 'function'} ${name} is disabled`,
      todo: `Remove the setting AzureWebJobs.${name}.Disabled of the ${app} app, or set it to false.`,
    })),
  ];
}

/** A deployment of both takes minutes. */
const APART_MS = 3_600_000;
const IN_PLACE = 4;
const FAILED = 3;

/**
 * Azure tells no version of a package, so what is compared is when each was put in place: one build is deployed to
 * both apps in one go.
 */
function versionChecks(deployments: Evidence['deployments']): readonly Check[] {
  const { issuer, rotator } = deployments;
  if ('unseen' in issuer) return [skip('versions', issuer.unseen)];
  if ('unseen' in rotator) return [skip('versions', rotator.unseen)];
  const failed = (['issuer', 'rotator'] as const).filter(
    (app) => newest(deployments[app], () => true)?.status === FAILED,
  );
  const places = [issuer, rotator].map((app) => timeOf(newest(app, ({ status }) => status === IN_PLACE)));
  const findings = failed.map((app) => ({
    says: `the last deployment of the ${app} app failed, so it runs the one before`,
    todo: `azd deploy ${app}`,
  }));
  const [one = Number.NaN, two = Number.NaN] = places;
  if (failed.length === 0 && (Number.isNaN(one) || Number.isNaN(two)))
    return [skip('versions', 'Azure lists no deployment of one of the apps')];
  const apartMs = Math.abs(one - two);
  if (apartMs > APART_MS)
    findings.push({
      says: `the ${one < two ? 'issuer' : 'rotator'} app was deployed ${hours(apartMs)} before the other: they may be of two versions`,
      todo: 'azd deploy puts one build in both.',
    });
  return checksOf('versions', findings, 'both apps were deployed together');
}

function newest(
  deployments: Looked<readonly SiteDeployment[]>,
  counts: (deployment: SiteDeployment) => boolean,
): SiteDeployment | undefined {
  const all = 'seen' in deployments ? deployments.seen.filter(counts) : [];
  return all.toSorted((one, other) => timeOf(other) - timeOf(one))[0];
}
const timeOf = (deployment: SiteDeployment | undefined): number =>
  deployment === undefined ? Number.NaN : Date.parse(deployment.end_time ?? '') || 0;
const hours = (ms: number): string => `${Math.round(ms / 3_600_000)} h`;
