/** What `npm run release` makes of what was built, and when it makes nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { releaseNotes } from '../../infra/release-notes.ts';
import { zip } from '../../infra/zip.ts';
import { infra } from './bicep-syntax.ts';

const root = join(infra, '..');

test('the notes of a release are the section of its version, and a version without one has none', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.0 - 2026-12-01\n\n### Added\n\n- this\n\n## 1.1.0\n\n## [1.0.0]\n\n- first\n';
  assert.equal(releaseNotes(changelog, '1.2.0'), '### Added\n\n- this');
  assert.equal(releaseNotes(changelog, '1.0.0'), '- first');
  assert.equal(releaseNotes(changelog, '1.1.0'), undefined, 'empty');
  assert.equal(releaseNotes(changelog, '1.2'), undefined);
  assert.equal(releaseNotes(changelog, '2.0.0'), undefined);
});

test('an archive holds each file as it was, and is the same in whatever order the files come', () => {
  const files = new Map(
    Object.entries({ 'b.js': 'two '.repeat(500), 'a/ä.json': '{}', 'a.js': '' }).map(([name, text]) => [
      name,
      Buffer.from(text),
    ]),
  );
  const archive = zip(files);
  assert.deepEqual(entriesOf(archive), new Map([...files].sort()));
  assert.ok(archive.equals(zip(new Map([...files].reverse()))));
});

test('a release holds both archives, their inventories, the notes and the sums of all, and only of its own version', () => {
  const clone = mkdtempSync(join(tmpdir(), 'release-'));
  after(() => rmSync(clone, { recursive: true }));
  cpSync(infra, join(clone, 'infra'), { recursive: true });
  for (const linked of ['src', 'node_modules']) symlinkSync(join(root, linked), join(clone, linked));
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ version: '1.2.3', type: 'module' }));
  writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n\n- this\n');
  for (const app of ['issuer', 'rotator']) {
    mkdirSync(join(clone, 'dist', app), { recursive: true });
    for (const file of ['main.js', 'sbom.cdx.json']) writeFileSync(join(clone, 'dist', app, file), app);
  }
  const release = (tag: string) =>
    spawnSync(process.execPath, ['infra/release.ts', '--tag', tag], { cwd: clone, encoding: 'utf8' });

  const unnamed = release('v1.2.3');
  assert.equal(unnamed.status, 1);
  assert.match(unnamed.stderr, /CHANGELOG\.md has no section 1\.2\.3/);
  writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## 1.2.3\n\n- this\n');
  assert.match(release('v1.2.4').stderr, /the tag is v1\.2\.4, and package\.json says 1\.2\.3/);
  assert.ok(!readdirSync(join(clone, 'dist')).includes('release'));

  const made = release('v1.2.3');
  assert.equal(made.status, 0, made.stderr);
  const folder = join(clone, 'dist/release');
  const named = ['issuer.cdx.json', 'issuer.zip', 'notes.md', 'rotator.cdx.json', 'rotator.zip'];
  assert.deepEqual(readdirSync(folder).sort(), ['SHA256SUMS', ...named]);
  const sums = named.map(
    (file) =>
      `${createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')}  ${file}\n`,
  );
  assert.equal(readFileSync(join(folder, 'SHA256SUMS'), 'utf8'), sums.join(''));
  assert.equal(readFileSync(join(folder, 'notes.md'), 'utf8'), '- this\n');
});

/** As a program reads an archive that goes by the directory at its end. */
function entriesOf(archive: Buffer): Map<string, Buffer> {
  const end = archive.length - 22;
  assert.equal(archive.readUInt32LE(end), 0x06054b50);
  const entries = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [packed, length] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28)];
    const local = archive.readUInt32LE(at + 42);
    const from = local + 30 + archive.readUInt16LE(local + 26);
    const content = inflateRawSync(archive.subarray(from, from + packed));
    assert.equal(content.length, archive.readUInt32LE(at + 24));
    entries.set(archive.toString('utf8', at + 46, at + 46 + length), content);
    at += 46 + length;
  }
  return entries;
}
