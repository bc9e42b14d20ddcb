/**
 * The kinds of token that the broker hands out: the one list of them. What differs by kind is an exhaustive map or
 * switch over `TokenKind`, so that a new kind does not compile until every such place has said what it means there.
 * test/rules/types.test.ts keeps the list of these places.
 */
export const TOKEN_KINDS = ['sts', 'entra', 'obo'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/**
 * As whom a token acts on the resource. This decides who may have one, what it takes to get one, and what ends it.
 * `accountKey`: bought with the account's key, and acts with all its rights. `identity`: of the identity that the
 * policy gives the resource. `caller`: on behalf of the calling user, so an application cannot have one.
 */
export const ACTS_AS: Readonly<Record<TokenKind, 'accountKey' | 'identity' | 'caller'>> = {
  sts: 'accountKey',
  entra: 'identity',
  obo: 'caller',
};
