import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { libraryFromSource } from '../../../src/local/host/library.ts';

const modules = join(import.meta.dirname, '../../../node_modules');
const urlOf = (path: string) => pathToFileURL(join(modules, path)).href;
const shipped = urlOf('@azure/functions/dist/azure-functions.js');

test('the library is compiled once, keeps its private fields, and every start gets the same code', () => {
  const code = libraryFromSource(shipped) ?? '';
  assert.match(code, /#\w+/);
  assert.doesNotMatch(code, /WeakMap/);
  assert.match(code, /LightRequest/);
  assert.equal(libraryFromSource(shipped), code);
});

test('any other module is as it was shipped', () => {
  assert.equal(libraryFromSource(urlOf('zod/index.js')), undefined);
  assert.equal(libraryFromSource(urlOf('elsewhere/@azure/functions/dist/azure-functions.js')), undefined);
});
