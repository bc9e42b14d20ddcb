/** The proof as the two apps reach it: through the door of the simulated storage account, with the roles that they hold. */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { issuerIdentity, rotatorIdentity } from '../../src/local/simulated/demo-directory.ts';
import type { Fault } from '../../src/local/simulated/faults.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { startBlobs } from './blobs.ts';

const blobs = await startBlobs();
const { url, faults, requests, readerOf, proofOf } = blobs;
after(() => blobs[Symbol.asyncDispose]());
beforeEach(() => faults.clear());

const issuer = readerOf(issuerIdentity.principalId);
const rotator = proofOf(rotatorIdentity.principalId);
const countOf = (operation: string, from: number) =>
  requests.after(from, 'blobs').filter((one) => one.operation === operation).length;

test('the first append makes the blob; the next goes where it ends, and one that goes elsewhere is told so', async () => {
  assert.equal(await issuer.read('2026-11-26', 0), '');
  assert.equal(await rotator.append('2026-11-26', 0, 'first\n'), 'appended');
  assert.equal(await rotator.append('2026-11-26', 0, 'other\n'), 'moved');
  assert.equal(await rotator.append('2026-11-26', 99, 'other\n'), 'moved');
  assert.equal(await rotator.append('2026-11-26', 6, 'second\n'), 'appended');
  assert.equal(await issuer.read('2026-11-26', 0), 'first\nsecond\n');
  assert.equal(await issuer.read('2026-11-26', 6), 'second\n');
  assert.equal(await issuer.read('2026-11-26', 13), '');
  assert.equal(await issuer.read('2026-11-26', 14), '');
});

test('a blob that is missing is made only where the text belongs at its beginning', async () => {
  assert.equal(await rotator.append('2026-11-20', 5, 'late\n'), 'moved');
  assert.equal(await issuer.read('2026-11-20', 0), '');
});

test('of many that begin a day at once one does, and its line stays', async () => {
  const other = proofOf(rotatorIdentity.principalId);
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      (index % 2 ? other : rotator).append('2026-11-21', 0, `by ${index}\n`),
    ),
  );
  assert.equal(answers.filter((answer) => answer === 'appended').length, 1);
  assert.equal(await issuer.read('2026-11-21', 0), `by ${answers.indexOf('appended')}\n`);
});

test('a day that is longer than one answer is read whole, and the days are told in their order', async () => {
  const line = `${'x'.repeat(99)}\n`;
  const part = line.repeat(4_000);
  for (const position of [0, 1, 2]) await rotator.append('2026-11-19', position * part.length, part);
  assert.equal(await issuer.read('2026-11-19', 0), part.repeat(3));
  assert.equal(await issuer.read('2026-11-19', 1_199_900), line);
  const days = await issuer.days();
  assert.deepEqual(days, days.toSorted());
  for (const day of ['2026-11-19', '2026-11-21', '2026-11-26']) assert.ok(days.includes(day), day);
});

test('an append whose answer was lost is there once, and its repetition is told that the blob has moved', async () => {
  await rotator.append('2026-11-22', 0, 'first\n');
  faults.set('blobs', { mode: 'lost', operation: 'AppendBlock' });
  await assert.rejects(rotator.append('2026-11-22', 6, 'once\n'), UpstreamFailure);
  faults.clear();
  assert.equal(await issuer.read('2026-11-22', 6), 'once\n');
  assert.equal(await rotator.append('2026-11-22', 6, 'once\n'), 'moved');
  assert.equal(await issuer.read('2026-11-22', 0), 'first\nonce\n');
});

const outages: readonly [string, Fault][] = [
  ['down', { mode: 'down' }],
  ['throttled', { mode: 'status', status: 503, retryAfterSeconds: 0 }],
  ['refused', { mode: 'status', status: 403 }],
  ['garbage', { mode: 'garbage' }],
];
for (const [what, fault] of outages)
  test(`${what}: an outage for every question and every append, never an empty proof`, async () => {
    faults.set('blobs', fault);
    const asked = [
      () => issuer.read('2026-11-26', 0),
      () => issuer.days(),
      () => rotator.append('2026-11-26', 13, 'no\n'),
    ];
    for (const ask of asked) await assert.rejects(ask(), UpstreamFailure);
    faults.clear();
    assert.equal(await issuer.read('2026-11-26', 0), 'first\nsecond\n');
  });

test('a service that is busy is asked again when it says, three times in all', async () => {
  faults.set('blobs', { mode: 'status', status: 503, retryAfterSeconds: 1, operation: 'AppendBlock' });
  const from = requests.last;
  const began = performance.now();
  await assert.rejects(rotator.append('2026-11-26', 13, 'no\n'), UpstreamFailure);
  assert.equal(countOf('AppendBlock proof', from), 3);
  assert.ok(performance.now() - began > 1900);
});

test('a container that is missing is an outage and no proof without a day', async () => {
  const reader = readerOf(issuerIdentity.principalId, `${url}nowhere`);
  await assert.rejects(reader.read('2026-11-26', 0), UpstreamFailure);
  await assert.rejects(reader.days(), UpstreamFailure);
});

test('the identity of the issuer appends nothing and makes no blob', async () => {
  const byIssuer = proofOf(issuerIdentity.principalId);
  await assert.rejects(byIssuer.append('2026-11-26', 13, 'forged\n'), UpstreamFailure);
  await assert.rejects(byIssuer.append('2026-11-27', 0, 'forged\n'), UpstreamFailure);
  assert.equal(await issuer.read('2026-11-26', 0), 'first\nsecond\n');
  assert.equal(await issuer.read('2026-11-27', 0), '');
});

for (const [who, principalId] of [
  ['issuer', issuerIdentity.principalId],
  ['rotator', rotatorIdentity.principalId],
] as const)
  test(`the identity of the ${who} puts nothing over a blob of the proof and deletes none`, async () => {
    const call = async (method: string, query: string, headers: Readonly<Record<string, string>>) => {
      const answer = await fetch(`${url}/proof/2026-11-26.jsonl${query}`, {
        method,
        headers: { authorization: `Bearer ${principalId}`, 'x-ms-version': '2021-12-02', ...headers },
      });
      await answer.body?.cancel();
      return `${answer.status} ${answer.headers.get('x-ms-error-code')}`;
    };
    const missing = '403 AuthorizationPermissionMismatch';
    // The role of the rotator can make blobs, so for it this is for the container's policy to refuse.
    const over = who === 'issuer' ? missing : '409 BlobImmutableDueToPolicy';
    assert.equal(await call('PUT', '', { 'x-ms-blob-type': 'AppendBlob', 'content-length': '0' }), over);
    assert.equal(await call('PUT', '', { 'x-ms-blob-type': 'BlockBlob', 'content-length': '0' }), over);
    assert.equal(await call('PUT', '?comp=metadata', { 'x-ms-meta-a': 'b' }), missing);
    assert.equal(await call('PUT', '?comp=blocklist', {}), missing);
    assert.equal(await call('PUT', '?comp=immutabilityPolicies', {}), missing);
    assert.equal(await call('DELETE', '', {}), missing);
    assert.equal(await issuer.read('2026-11-26', 0), 'first\nsecond\n');
  });
