/**
 * `npm run release -- --tag v1.2.3`, after `npm run build`: makes of dist/ what a release holds. The workflow
 * release.yml does it once for a tag, and both environments get these very files.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine, wrongUsage } from '../src/command-line.ts';
import { APPS } from './build.ts';
import { filesOf } from './files-of.ts';
import { releaseNotes } from './release-notes.ts';
import { zip } from './zip.ts';

const root = join(import.meta.dirname, '..');
const usage = `npm run release -- --tag TAG

  --tag TAG  v and the version in package.json, which must have a section in
             CHANGELOG.md

Puts into dist/release what npm run build made: issuer.zip and rotator.zip, the
same bytes for the same commit, the inventory of each, notes.md from
CHANGELOG.md, and SHA256SUMS of every file of the folder.
Exit code 1 where the tag and the version or CHANGELOG.md do not agree.`;
const { values } = readCommandLine(usage, { options: { tag: { type: 'string' } } });
if (values.tag === undefined) wrongUsage(usage, '--tag is needed');

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const notes = releaseNotes(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version);
if (values.tag !== `v${version}`) refuse(`the tag is ${values.tag}, and package.json says ${version}`);
else if (notes === undefined) refuse(`CHANGELOG.md has no section ${version}, or nothing in it`);
else make(notes);

function refuse(what: string): void {
  console.error(`no release: ${what}`);
  process.exitCode = 1;
}

function make(text: string): void {
  const out = join(root, 'dist/release');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'notes.md'), `${text}\n`);
  for (const app of APPS) {
    const folder = join(root, 'dist', app);
    writeFileSync(join(out, `${app}.zip`), zip(filesOf(folder)));
    copyFileSync(join(folder, 'sbom.cdx.json'), join(out, `${app}.cdx.json`));
  }
  const sums = readdirSync(out)
    .filter((file) => file !== 'SHA256SUMS')
    .sort()
    .map((file) => `${sha256(readFileSync(join(out, file)))}  ${file}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(sums.join(''));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
