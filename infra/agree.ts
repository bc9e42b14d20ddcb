/** Does the policy name only what the deployment gives the broker the roles for? Pure. */
import { ACCOUNT_KINDS } from '../src/facts/account-kinds.ts';
import { didYouMean } from '../src/policy/nearest.ts';
import type { Policy, Resource } from '../src/policy/schema.ts';
import { TOKEN_KINDS, type TokenKind } from '../src/token-kind.ts';
import type { Account, Environment, Role } from './environments.ts';

/** The narrow role first. `data`, the custom role without keys, is good for every kind. */
const FITTING_ROLES: ReadonlyMap<string, readonly Role[]> = new Map([
  ['SpeechServices', ['speech', 'data']],
  ['OpenAI', ['openai', 'data']],
  ['AIServices', ['openai', 'speech', 'data']],
]);

/** What one account of the policy lacks. */
export interface Uncovered {
  readonly resource: string;
  readonly accountId: string;
  readonly lacks: readonly string[];
}

/** Each account of the policy of which the environment does not give every role that is needed. */
export function uncoveredAccounts(policy: Policy, environment: Environment): readonly Uncovered[] {
  return policy.resources.flatMap((resource) => {
    const { name, accountId } = resource;
    const account = environment.accounts.find(({ id }) => sameId(id, accountId));
    const lacks = account
      ? [...rotatorMissing(resource, account), ...usersMissing(resource, account, environment)]
      : [`no role is given on its account ${accountId}: add it to accounts`];
    return lacks.length > 0 ? [{ resource: name, accountId, lacks }] : [];
  });
}

/** Every role that a resource of the policy needs and the environment does not give, in words. */
export function missingRoles(policy: Policy, environment: Environment): string[] {
  return uncoveredAccounts(policy, environment).flatMap(({ resource, lacks }) =>
    lacks.map((problem) => `${resource}: ${problem}`),
  );
}

export function hasAccountOf(policy: Policy, environment: Environment): boolean {
  return needlessAccounts(policy, environment).length < environment.accounts.length;
}

/** Each environment has a lease of its own, so two that rotate one account would take each other's keys away. */
export function rotatedTwice(environments: ReadonlyMap<string, Environment>): string[] {
  const rotators = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, { accounts }] of environments)
    for (const { id } of accounts.filter(({ rotated }) => rotated)) {
      const other = rotators.get(id.toLowerCase());
      if (other === undefined) rotators.set(id.toLowerCase(), name);
      else problems.push(`${name}: ${other} rotates the keys of ${id} too: one broker only may`);
    }
  return problems;
}

/** Only a transmitter names users by e-mail address, for which the issuer app must read the directory. */
export function directoryProblems(policy: Policy, { issuerReadsDirectory }: Environment): string[] {
  const isNeeded = policy.transmitters.length > 0;
  if (isNeeded === issuerReadsDirectory) return [];
  return [
    isNeeded
      ? 'transmitters may name users by e-mail address, so issuerReadsDirectory must be true'
      : 'issuerReadsDirectory must be false: the policy has no transmitters, and the app that faces the internet could read every user',
  ];
}

/** Roles on accounts that the policy does not name: more than it needs. */
export function needlessAccounts(policy: Policy, environment: Environment): string[] {
  return environment.accounts
    .map(({ id }) => id)
    .filter((id) => !policy.resources.some(({ accountId }) => sameId(id, accountId)));
}

function rotatorMissing(resource: Resource, account: Account): string[] {
  if (resource.secret === undefined || resource.rotation === undefined || account.rotated) return [];
  return ['its keys are rotated, so its account needs "rotated": true (the rotator role)'];
}

/** Problems with whoever uses the account in a token of this kind. `needs` says one unless somebody fits. */
type Users = (
  resource: Resource,
  environment: Environment,
  needs: (who: string, isHeldBy: (grant: Account['grants'][number]) => boolean) => string[],
) => string[];

const USERS_MISSING: Readonly<Record<TokenKind, Users>> = {
  // The account's key is the right: no identity needs one.
  sts: () => [],
  entra: ({ identity }, environment, needs) => {
    if (identity.kind !== 'userAssigned') {
      const who =
        identity.kind === 'application' ? 'the app registration (to: application)' : "the app's own identity";
      return needs(who, ({ to }) => to === identity.kind);
    }
    const carried = environment.identities.find(({ clientId }) => sameId(clientId, identity.clientId));
    if (carried === undefined) return [`the app does not carry its identity ${identity.clientId}`];
    return needs(
      `the identity ${identity.clientId} (principal ${carried.principalId})`,
      (grant) => grant.to === 'userAssigned' && sameId(grant.principalId, carried.principalId),
    );
  },
  obo: (_, __, needs) => needs('a group of the people it acts for', ({ to }) => to === 'group'),
};

function usersMissing(resource: Resource, account: Account, environment: Environment): string[] {
  // Which role fits is not known then, and a role that is said to be missing would mislead.
  const meant = ACCOUNT_KINDS.includes(resource.kind) ? '' : didYouMean(resource.kind, ACCOUNT_KINDS);
  if (meant !== '') return [`the kind "${resource.kind}" is not known${meant}`];
  const roles = FITTING_ROLES.get(resource.kind) ?? ['data'];
  return TOKEN_KINDS.filter((kind) => resource.tokenKinds.includes(kind)).flatMap((kind) =>
    USERS_MISSING[kind](resource, environment, (who, isHeldBy) =>
      account.grants.some((grant) => roles.includes(grant.role) && isHeldBy(grant))
        ? []
        : [`${who} needs the role ${roles.join(' or ')} on its account`],
    ),
  );
}

const sameId = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
