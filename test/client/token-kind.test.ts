import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerToken, BrokerTokenOptions } from '../../src/client/broker-token.ts';
import { TOKEN_KINDS, type TokenKind } from '../../src/token-kind.ts';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

test('the client, which imports nothing of the product, knows the same token kinds', () => {
  // The compiler is the test: neither line compiles where the two lists differ.
  const asked: Same<NonNullable<BrokerTokenOptions['tokenKind']>, TokenKind> = true;
  const given: Same<BrokerToken['tokenKind'], TokenKind> = true;
  assert.ok(asked && given && TOKEN_KINDS.length > 0);
});
