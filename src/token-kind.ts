/**
 * The only list of the kinds of token that the broker hands out. All that differs by kind is an exhaustive map or
 * switch over `TokenKind`, so that a new kind does not compile until each such place has a case for it.
 * test/rules/types.test.ts keeps the list of these places.
 */
export const TOKEN_KINDS = ['sts', 'entra', 'obo'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/**
 * As whom a token acts on the resource. This decides who may have one, how it is obtained, and what ends it.
 * `accountKey`: it is bought with the account's key and has all rights of the key. `identity`: it belongs to the
 * identity that the policy gives the resource. `caller`: it acts for the calling user, so applications have none.
 */
export const ACTS_AS: Readonly<Record<TokenKind, 'accountKey' | 'identity' | 'caller'>> = {
  sts: 'accountKey',
  entra: 'identity',
  obo: 'caller',
};
