import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advice, Overwritten, problemOf, problemOfText, said } from '../../src/rotation/problem.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

const of = (status: number, what = 'regenerateKey') => problemOf(new UpstreamFailure('arm', what, status));

test('what a service answers decides the advice, not the words of its error', () => {
  const codes = [403, 429, 0, 500].map((status) => of(status).code);
  assert.deepEqual(codes, ['service_forbids', 'service_throttles', 'service_unreachable', 'service_fails']);
  assert.equal(new Set([403, 429, 0, 500].map((status) => advice(of(status)))).size, 4);
  // Each of these words once drew the advice for another problem.
  for (const words of [
    'the connection was refused',
    'a forbidden header',
    'the soft-deleted list',
    'no answer in time',
  ])
    assert.equal(advice(of(0, words)), advice(of(0)));
  assert.match(advice({ code: 'key_refused' }), /keys are switched on/);
  assert.match(advice(of(403)), /role/);
  assert.match(advice(of(0)), /reachable/);
});

test('a secret that somebody else writes at the same moment is told apart from a vault that is away', () => {
  const problem = problemOf(new Overwritten());
  assert.equal(problem.code, 'overwritten');
  assert.match(advice(problem), /who else writes/);
});

test('a problem goes to words and back, and words that nobody knows stay as they are', () => {
  for (const code of [
    'keys_switched_off',
    'account_gone',
    'vault_forbidden',
    'secret_deleted',
    'overwritten',
  ] as const)
    assert.deepEqual(problemOfText(said({ code })), { code });
  assert.deepEqual(problemOfText('arm: 503'), { code: 'in_words', detail: 'arm: 503' });
});
