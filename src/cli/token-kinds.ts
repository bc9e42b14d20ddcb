import { TOKEN_KINDS, type TokenKind } from '../token-kind.ts';
import { CommandFailure } from './failure.ts';

export function readKind(given: string | undefined): TokenKind | undefined {
  if (given === undefined) return undefined;
  const kind = TOKEN_KINDS.find((each) => each === given);
  if (kind === undefined) throw new CommandFailure('usage', `--kind is one of ${TOKEN_KINDS.join(', ')}.`);
  return kind;
}
