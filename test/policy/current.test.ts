import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCurrentPolicy, readVersion, startWith } from '../../src/policy/current.ts';
import { compact, compileVersion, versionOf } from '../../src/policy/version.ts';
import { UpstreamFailure } from '../../src/upstream.ts';
import { Shared } from '../operations/publishing.ts';
import { samplePolicy } from './sample.ts';

const packaged = compileVersion(JSON.stringify(samplePolicy()));
const other = compileVersion(JSON.stringify({ ...samplePolicy(), transmitters: [] }));
const later = JSON.stringify({ ...samplePolicy(), moons: ['a member of a later version'] });
const texts = new Map([
  [other.version, compact(other.source)],
  [versionOf(later), later],
]);
const reader = { text: async (version: string) => texts.get(version) };

test('instances that start together on an empty store agree on one version, whatever their packages have', async () => {
  for (const inOrder of [
    [packaged, other],
    [other, packaged],
  ]) {
    const shared = new Shared();
    const store = shared.store(async () => 'well');
    const begun = await Promise.all(inOrder.map((version) => startWith(version, store, 'now')));
    assert.equal(new Set(begun).size, 1);
    assert.equal(shared.current?.version, begun[0]);
    assert.deepEqual(shared.problems(), []);
    assert.equal(
      await startWith(other, store, 'later'),
      begun[0],
      'what is packaged means nothing afterwards',
    );
  }
});

test('a version is compiled once, and who changes over is told of it', async () => {
  const changes: string[] = [];
  let reads = 0;
  const counted = {
    text: async (version: string) => {
      reads += 1;
      return texts.get(version);
    },
  };
  const current = createCurrentPolicy(counted, packaged, ({ version }) => changes.push(version));
  assert.equal(await current.read(packaged.version), packaged);
  const [first, again] = [await current.read(other.version), await current.read(other.version)];
  assert.equal(first, again);
  assert.equal(reads, 1);
  assert.deepEqual(changes, [packaged.version, other.version]);
});

test('a policy that cannot be read, or is not there, is an outage and decides nothing', async () => {
  const current = createCurrentPolicy(reader, packaged, () => undefined);
  const isOf = (service: string) => (error: unknown) =>
    error instanceof UpstreamFailure && error.service === service;
  await assert.rejects(current.read(versionOf(later)), isOf('policy'));
  await assert.rejects(current.read('0'.repeat(64)), isOf('tables'));
  assert.equal(await readVersion(reader, versionOf(later)), undefined, 'and explains nothing');
});
