/** The package that is published, built and put where npm would: the network is off. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackage } from '../../infra/build-package.ts';

const modules = join(import.meta.dirname, '../../node_modules');
const NAME = 'azure-ai-token-broker';

export interface Installed {
  /** What was built, before it was packed. */
  readonly built: string;
  readonly tarball: string;
  /** The folder of an app that has installed it. */
  readonly app: string;
  readonly bin: string;
}

/** @param others packages that the app has beside it, by their names */
export async function install(folder: string, others: readonly string[]): Promise<Installed> {
  const built = join(folder, 'built');
  await buildPackage(built);
  const packed = execFileSync('npm', ['pack', '--json', '--offline', '--pack-destination', folder], {
    cwd: built,
    encoding: 'utf8',
  });
  const tarball = join(folder, JSON.parse(packed)[0].filename);
  const app = join(folder, 'app');
  const own = join(app, 'node_modules', NAME);
  mkdirSync(own, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', own]);
  for (const name of others) symlinkSync(join(modules, name), join(app, 'node_modules', name));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  const bin = join(app, 'node_modules/.bin', NAME);
  mkdirSync(join(bin, '..'));
  symlinkSync(join(own, 'bin', `${NAME}.js`), bin);
  return { built, tarball, app, bin };
}
