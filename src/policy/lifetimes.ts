/** Whether a promised longest life can be kept, given how long the tokens of a resource live. */
import { MANAGED_IDENTITY_LIFE_MS, MAX_TOKEN_LIFE_MS } from '../facts/entra.ts';
import { STS_LIFE_MS } from '../facts/sts.ts';
import type { TokenKind } from '../token-kind.ts';
import type { Draft } from './draft.ts';
import { durationText } from './duration.ts';
import type { Resource } from './schema.ts';

/** @param path of the promise */
export function tooShort(
  path: string,
  maxLifetimeMs: number,
  resource: Draft<Resource>,
  kind: TokenKind,
): string[] {
  const neededMs = TOKEN_LIFE_MS[kind](resource);
  if (maxLifetimeMs >= neededMs) return [];
  const needed = durationText(neededMs);
  return [
    `${path}: ${kind} tokens for ${resource.name ?? 'this account'} live up to ${needed}, and none with more life left than said here is handed out; write "${needed}" or more`,
  ];
}

/** The longest life of a token of the resource, in milliseconds. */
export const longestLifeMs = (resource: Draft<Resource>, kind: TokenKind): number =>
  TOKEN_LIFE_MS[kind](resource);

const entraLifeMs = ({ identity }: Draft<Resource>): number =>
  identity === undefined || identity.kind === 'application' ? MAX_TOKEN_LIFE_MS : MANAGED_IDENTITY_LIFE_MS;

/** The longest life of a token of the resource, in milliseconds. */
const TOKEN_LIFE_MS: Readonly<Record<TokenKind, (resource: Draft<Resource>) => number>> = {
  sts: () => STS_LIFE_MS,
  entra: entraLifeMs,
  obo: entraLifeMs,
};
