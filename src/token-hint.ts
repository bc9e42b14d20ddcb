/**
 * What a caller is told about its own token that was not accepted. Each hint follows from the token's text and from
 * what everybody may know (exchange/hint.ts), and never from how far the verification came.
 */
export type TokenHint =
  | 'missing'
  | 'unreadable'
  | 'expired'
  | 'other_tenant'
  /** Nothing that the caller may know explains it. The audit has the reason. */
  | 'unexplained'
  | { readonly kind: 'audience'; readonly wanted: string };

/** @param token how the request names the token: `subject_token`, or `the access token` where it came as Bearer */
export function describeHint(hint: TokenHint, token: string): string {
  if (typeof hint === 'object') return `${token} is for another audience: its aud must be ${hint.wanted}`;
  return `${token} ${WORDS[hint]}`;
}

const WORDS: Readonly<Record<Extract<TokenHint, string>, string>> = {
  missing: 'is required',
  unreadable: 'cannot be read: it must be a signed JWT, as Entra issues it',
  expired: 'has expired: get a new one from Entra',
  // Whether the policy names that tenant is not said: a stranger could try tenants until one is named.
  other_tenant:
    "is not accepted: it is not of the broker's own tenant, and of other tenants only those that the policy names may call",
  unexplained: 'is not accepted',
};
