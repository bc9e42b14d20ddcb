/** What the owner of an application that was refused can do, in words. */
import type { CallerFault, Denial } from '../denial.ts';
import { iso } from '../iso.ts';
import { didYouMean } from '../policy/nearest.ts';
import type { Policy } from '../policy/schema.ts';
import type { Asked } from './decision.ts';
import type { ExplainedGrant } from './explained.ts';

export interface Known {
  readonly asked: Asked;
  readonly grants: readonly ExplainedGrant[];
  readonly groupOverage: boolean;
  readonly policy: Policy;
}

export function adviceFor(denial: Denial, known: Known): string {
  switch (denial.kind) {
    case 'caller_unverified':
      return FAULTS[denial.fault];
    case 'target_unknown': {
      const names = known.policy.resources.map(({ name }) => name);
      return `The policy has no resource of this name or endpoint${didYouMean(known.asked.target, names, `; it has ${names.join(', ')}.`)} A host that several accounts of a region share names none of them: ask by the resource's name.`;
    }
    case 'grant_missing':
      return missing(known);
    case 'user_required':
      return 'An on-behalf-of token acts for a person, and this token is of an application or of an agent without one: send the token of the person who is signed in, or ask for another token_kind.';
    case 'revoked':
      return denial.acceptedFromSeconds === undefined
        ? `The scope "${denial.scope}" is blocked, and no newer token helps: an operator must lift the block (POST /operator/revocations/lift).`
        : `Tokens from before the revocation of "${denial.scope}" are refused: get a new token from Entra, past the cache, that is issued at ${iso(denial.acceptedFromSeconds * 1000)} or later.`;
    default:
      return REST[denial.kind];
  }
}

/** The same for a reason of the audit, of which nothing else is known. */
export function adviceOfReason(reason: string): string {
  const [kind = '', ...details] = reason.split(': ');
  const detail = details.join(': ');
  const fault = Object.entries(FAULTS).find(([name]) => kind === 'caller_unverified' && name === detail);
  const rest = Object.entries({ ...REST, ...THEN }).find(([name]) => name === kind);
  return fault?.[1] ?? rest?.[1] ?? 'The token was bought and not sent: see the reason; repeat the exchange.';
}

const THEN = {
  target_unknown: 'The policy had no resource of this name or endpoint.',
  grant_missing: 'No grant applied to this caller.',
  user_required: 'An on-behalf-of token was asked for, and the token was not of a person.',
  revoked:
    'A revocation refused the token. If it was a cut-off, a newer token is accepted; if it was a block, an operator lifts it (POST /operator/revocations/lift).',
} as const;

function missing({ grants, groupOverage, asked }: Known): string {
  if (grants.length === 0)
    return 'No grant of the policy names this resource: add one, or ask for another resource.';
  const unmet = grants.map(({ conditions }) => conditions.filter(({ met }) => !met));
  if (groupOverage && unmet.some((conditions) => conditions.some(({ condition }) => condition === 'group')))
    return "The token names no groups, because the person is in more of them than a token holds (group overage, `_claim_names`). Have the broker's registration put only groups that are assigned to the application into its tokens (groupMembershipClaims: ApplicationGroup) and assign the group, or grant by an app role.";
  const nearest = [...grants].sort((one, other) => unmetOf(one) - unmetOf(other))[0];
  const lacking = nearest === undefined ? [] : nearestRule(nearest);
  const words = lacking.map(({ condition, wanted }) =>
    condition === 'tokenKind'
      ? `it gives ${[wanted].flat().join(' and ') || 'nothing that the resource gives'}, and ${asked.tokenKind ?? 'another kind'} was asked for`
      : `${WORDS[condition]} ${[wanted].flat().join(', ')}`,
  );
  return `No grant applies to this caller. The nearest is ${nearest?.name}: ${words.join('; ')}.`;
}

const WORDS = {
  tenant: 'it is for callers of the tenant',
  clientId: 'it is for the application (client) id',
  objectId: 'it is for the object id',
  blueprint: 'it is for Entra agent identities of the blueprint',
  appRole:
    "the token lacks the app role, which an administrator assigns to the caller in the broker's enterprise application:",
  scope:
    'the token lacks the delegated scope, which the app must ask for and a person or administrator consent to:',
  group: 'the token does not name the group, so the caller must become a member and get a new token:',
} as const;

/** What is not met in the rule that lacks least. */
function nearestRule({ conditions }: ExplainedGrant) {
  const rules = [...new Set(conditions.flatMap(({ rule }) => rule ?? []))];
  const lacking = rules
    .map((index) => conditions.filter(({ met, rule }) => !met && (rule === index || rule === undefined)))
    .sort((one, other) => one.length - other.length);
  return lacking[0] ?? [];
}
const unmetOf = (grant: ExplainedGrant): number => nearestRule(grant).length;

const REST: Readonly<
  Record<
    Exclude<
      Denial['kind'],
      'caller_unverified' | 'target_unknown' | 'grant_missing' | 'user_required' | 'revoked'
    >,
    string
  >
> = {
  request_malformed: 'The request could not be read: the reason says which part; /openapi.json has the form.',
  client_authentication:
    'Send no client secret, assertion or Basic header: the subject token says who calls.',
  actor_token:
    'Send no actor_token and no actor_token_type: an agent shows its own token, or the one that Entra gave it for a person.',
  subject_token_type:
    "Send an access token that Entra issued for the broker's own scope, and no ID token, refresh token or SAML assertion.",
  targets_differ:
    'Send resource or audience alone, or both for one account: its name in the policy, or the URL of one of its endpoints.',
  grant_type_unsupported: 'Send grant_type=urn:ietf:params:oauth:grant-type:token-exchange.',
  scope_unsupported:
    "Leave scope out: the target fixes it. Accepted are only the account's own scope and its endpoint, each with or without /.default.",
  lifetime_unmet:
    "Entra gave a token that lives longer than the grant's maxLifetime allows: raise maxLifetime, or shorten the tokens by a token lifetime policy of the tenant.",
  rate_limited:
    "The caller used up the grant's rate on one instance: wait as Retry-After says, keep tokens until refresh_in, or raise the grant's rate.",
  interaction_required:
    'Entra wants the person to sign in again (Conditional Access): sign in with the claims of the answer, then repeat the exchange.',
  obo_refused:
    "Entra refused to act on behalf of this person: give the broker's registration consent for the Azure AI scope, and check that the person may use the application.",
};

const FAULTS: Readonly<Record<CallerFault, string>> = {
  missing: "The request had no token: send the caller's Entra access token as subject_token or as Bearer.",
  too_large: 'The token is larger than any that Entra issues: send the access token alone.',
  malformed:
    'The text is no signed JWT: send the Entra access token as it was received, not an id token, a cookie or an encrypted token.',
  algorithm: 'The token is not signed with RS256, so it is not one of Entra.',
  type: 'The token is of another type: send an access token, not an id token or a logout token.',
  bound:
    'The token is bound to a key of its holder (proof of possession), which the exchange cannot check: ask Entra for a bearer token.',
  unknown_key:
    'Entra does not publish the key that signed the token: it is of another cloud or tenant, has a signing key of its own application, or is forged.',
  signature:
    "The signature is not right: the token was changed or forged. A Microsoft Graph token cannot be checked by others either: ask for the broker's own scope.",
  key_issuer: 'The key that signed the token belongs to another tenant.',
  issuer: 'The issuer does not fit the tenant of the token.',
  audience:
    "The token is for another API: ask Entra for the broker's own scope (api://<broker's client id>/.default), not for Microsoft Graph, Azure management or Azure AI.",
  tenant:
    'The tenant of the token is not one of `tenants` in the policy: use an account of a tenant that is, or add the tenant.',
  version:
    "The token is of version 1.0 and this broker accepts version 2.0 only: set requestedAccessTokenVersion to 2 in the manifest of the broker's registration, or allow version 1.0 (BROKER_ACCEPT_V1).",
  expired: 'The token has expired: get a new one from Entra; clients with a token cache do it by themselves.',
  not_yet_valid:
    'The token is not valid yet: the clock of the sender or of the broker is off, or the token is too old for this broker.',
  claims:
    "The token lacks a claim that Entra always sends, or its claims contradict each other: idtyp is needed in tokens of applications (an optional claim of the broker's registration).",
  no_permission:
    "Entra issued the token without an app role or scope. Assign an app role of the broker (Token.Exchange for applications, Broker.User for people) to the caller in the broker's enterprise application, with an administrator's consent, and get a new token; a person's app must ask for the scope Token.Exchange.",
};
