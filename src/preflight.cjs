/**
 * Run by each npm script before its own command, to say in one line what to do where the sources cannot run yet. They are TypeScript and use `await using`, which Node runs by itself from version 24 on; the
 * development dependency `node` brings such a Node, but only when npm may run its install script. This file is
 * plain JavaScript, so that any Node can run it.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** @returns {string | undefined} what to do; undefined when the sources can run */
function problem() {
  if (!existsSync(join(__dirname, '..', 'node_modules')))
    return 'The dependencies are not installed. Run: npm ci';
  if (Number(process.versions.node.split('.')[0]) >= 24) return undefined;
  return (
    `This needs Node 24 and was started with Node ${process.versions.node}: npm did not run the install script of ` +
    'the package "node". Use Node 24, or run: npm rebuild node --ignore-scripts=false'
  );
}

const found = problem();
if (found !== undefined) {
  console.error(found);
  process.exit(1);
}
