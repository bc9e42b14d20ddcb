import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { portTaken } from '../../src/local/port-taken.ts';

const folder = mkdtempSync(join(tmpdir(), 'port-taken-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'description.json');
const describing = (text: string): readonly string[] => {
  writeFileSync(file, text);
  return [file];
};

test('a port that a running local mode has: that it is ours, where it is, and how to start beside it', () => {
  const instances = ['http://127.0.0.1:7071', 'http://127.0.0.1:41234'];
  assert.equal(
    portTaken(7071, describing(JSON.stringify({ instances }))),
    `port 7071 is taken by a local mode that is running already: its broker is http://127.0.0.1:7071, its files are in ${folder}. Use that one, or start another beside it: npm start -- --port N, or with --port 0 for a free one`,
  );
});

test('a port that another program has: how to start at another one', () => {
  const text =
    'port 7071 is taken by another program. End that one, or start at another port: npm start -- --port N, or with --port 0 for a free one';
  assert.equal(portTaken(7071, []), text);
  assert.equal(portTaken(7071, describing('{"instances":["http://127.0.0.1:8080"]}')), text);
  assert.equal(portTaken(7071, describing('{"inst')), text, 'a local mode that is just ending');
  assert.equal(portTaken(7071, [join(folder, 'gone')]), text);
});
