#!/usr/bin/env node
/**
 * What npm links as `azure-ai-token-broker` in a clone. The sources are TypeScript, which Node runs by itself from
 * version 24 on; under an older one this starts them in the Node that `npm ci` has brought. The published package has
 * no need of it. Plain JavaScript, so that any Node can run it.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..', '..');
const main = join(__dirname, 'main.ts');

if (Number(process.versions.node.split('.')[0]) >= 24) {
  // The first run compiles, and the next ones read what it has compiled.
  require('node:module').enableCompileCache(join(root, 'node_modules', '.cache', 'command'));
  import(require('node:url').pathToFileURL(main).href);
} else {
  startNewer();
}

function startNewer() {
  const windows = process.platform === 'win32';
  const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(node)) {
    console.error(
      `This needs Node 24 and was started with Node ${process.versions.node}. Run npm ci; where that does not help,\n` +
        'npm rebuild node --ignore-scripts=false (npm did not run the install script of the package "node").',
    );
    process.exit(1);
  }
  const { spawn } = require('node:child_process');
  let child;
  // A terminal sends these to the child itself; then they must only not end this one before it.
  const byTerminal = process.stdin.isTTY ? ['SIGINT', 'SIGQUIT'] : [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGCONT'])
    process.on(signal, () => byTerminal.includes(signal) || child?.kill(signal));
  child = spawn(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' });
  child.on('close', (code, signal) => {
    process.exitCode = signal === null ? code : 128 + (require('node:os').constants.signals[signal] ?? 0);
  });
}
