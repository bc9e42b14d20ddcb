/**
 * `node infra/function-names.ts issuer|rotator`: the names of the functions that the built app registers, one a line,
 * sorted. A package one file of which throws, or whose `main` matches nothing, is deployed without an error and serves
 * 404 everywhere; so a deployment ends with a comparison of this list with what Azure has (hooks.sh).
 */
import { join } from 'node:path';
import { loadApp } from '../src/local/host/app.ts';

const apps = ['issuer', 'rotator'];
const [app = ''] = process.argv.slice(2);

if (!apps.includes(app)) {
  console.error(`usage: node infra/function-names.ts ${apps.join('|')}`);
  process.exitCode = 2;
} else {
  const folder = join(import.meta.dirname, '../dist', app);
  const { registry, loadError } = await loadApp(folder, console.error);
  if (loadError !== undefined) throw loadError;
  console.log([...registry.functions.keys()].sort().join('\n'));
}
