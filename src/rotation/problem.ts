/**
 * Why a rotation does not go on. The union is closed, so that code which decides by it (the repair advice, what counts
 * as overdue) does not compile when it has forgotten a reason. `said` puts a problem in words for people.
 */
import * as z from 'zod';
import type { AccountRefusal } from '../ports.ts';
import { UpstreamFailure } from '../upstream.ts';

const code = <Code extends string>(name: Code) => z.object({ code: z.literal(name) });
/** `detail` tells the operator which call failed and with which status. It never holds a key or a URL. */
const detailed = <Code extends string>(name: Code) => z.object({ code: z.literal(name), detail: z.string() });

export const problemSchema = z.discriminatedUnion('code', [
  code('keys_switched_off'),
  code('account_forbidden'),
  code('account_gone'),
  code('vault_forbidden'),
  code('secret_deleted'),
  /** The account does not accept the key that is to be published, or that was just made. */
  code('key_refused'),
  /** A drift cannot be repaired, because the account accepts neither of its keys. */
  detailed('no_key_accepted'),
  detailed('regenerate_refused'),
  detailed('regenerate_without_effect'),
  /** Somebody else wrote the secret at the same moment. */
  code('overwritten'),
  /** A service answers 401 or 403. */
  detailed('service_forbids'),
  detailed('service_throttles'),
  /** No answer in time, no connection, or an answer that cannot be read. */
  detailed('service_unreachable'),
  detailed('service_fails'),
  /** The sentence of a row that was written before problems had codes. */
  detailed('in_words'),
]);
export type Problem = z.infer<typeof problemSchema>;
export const PROBLEM_CODES = problemSchema.options.map(({ shape }) => shape.code.value);

export const REFUSALS: Readonly<Record<AccountRefusal, Problem>> = {
  localAuthDisabled: { code: 'keys_switched_off' },
  forbidden: { code: 'account_forbidden' },
  notFound: { code: 'account_gone' },
};

/** Another version of the secret became current while ours was written. */
export class Overwritten extends UpstreamFailure {
  constructor() {
    super('keyvault', said({ code: 'overwritten' }));
  }
}

export function problemOf(failure: UpstreamFailure): Problem {
  if (failure instanceof Overwritten) return { code: 'overwritten' };
  const { status, message: detail } = failure;
  if (status === 401 || status === 403) return { code: 'service_forbids', detail };
  if (status === 429) return { code: 'service_throttles', detail };
  return { code: status === 0 ? 'service_unreachable' : 'service_fails', detail };
}

/** The problem in words. What to do about it is in `advice`. */
export function said(problem: Problem): string {
  switch (problem.code) {
    case 'keys_switched_off':
      return 'the account has keys switched off (disableLocalAuth): nothing to rotate';
    case 'account_forbidden':
      return 'the rotator may not list the keys of this account: give it the rotator role';
    case 'account_gone':
      return 'the account does not exist: remove it from the policy';
    case 'vault_forbidden':
      return 'the rotator may not read the secret: give it its role on the vault';
    case 'secret_deleted':
      return 'the secret is soft-deleted: recover or purge it';
    case 'key_refused':
      return 'the key is refused';
    case 'overwritten':
      return 'another version became current while ours was written';
    case 'no_key_accepted':
      return `${problem.detail}; neither key of the account is accepted`;
    case 'regenerate_refused':
    case 'regenerate_without_effect':
    case 'service_forbids':
    case 'service_throttles':
    case 'service_unreachable':
    case 'service_fails':
    case 'in_words':
      return problem.detail;
  }
}

const AFTER_REPAIR = "it goes on within the hour, or at once after 'rotate now'";

/** What a person should do about it. */
export function advice(problem: Problem): string {
  switch (problem.code) {
    case 'keys_switched_off':
      return 'take the rotation of this resource out of the policy, or switch the keys of the account on';
    case 'account_gone':
      return 'remove the resource from the policy, or correct its accountId';
    case 'account_forbidden':
    case 'vault_forbidden':
    case 'regenerate_refused':
    case 'service_forbids':
      return `give the rotator identity its role back (infra/README.md, permissions); ${AFTER_REPAIR}`;
    case 'secret_deleted':
      return 'recover the secret in the vault, or purge it';
    case 'key_refused':
    case 'no_key_accepted':
      return 'the key stays refused: check in the portal that keys are switched on and no network rule blocks the broker';
    case 'overwritten':
      return `find who else writes this secret (audit log of the vault), and stop it; ${AFTER_REPAIR}`;
    case 'regenerate_without_effect':
      return `look whether the account was locked or is being moved (portal, activity log); ${AFTER_REPAIR}`;
    case 'service_throttles':
      return `nothing, or find who else calls that service so often; ${AFTER_REPAIR}`;
    case 'service_unreachable':
      return `look whether the service named in the problem is up, and reachable from the app's network; ${AFTER_REPAIR}`;
    case 'service_fails':
      return `look at the health of the service named in the problem; ${AFTER_REPAIR}`;
    case 'in_words':
      return `look at the service named in the problem; ${AFTER_REPAIR}`;
  }
}

const WITHOUT_DETAIL: readonly Problem[] = [
  ...Object.values(REFUSALS),
  { code: 'vault_forbidden' },
  { code: 'secret_deleted' },
  { code: 'key_refused' },
  { code: 'overwritten' },
];

/** The problem of an older row, which holds it in the words of `said`. */
export function problemOfText(text: string): Problem {
  return WITHOUT_DETAIL.find((known) => said(known) === text) ?? { code: 'in_words', detail: text };
}
