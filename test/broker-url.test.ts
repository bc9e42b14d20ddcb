import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBrokerUrl } from '../src/broker-url.ts';

test('a caller’s token goes out over https, or stays on this machine', () => {
  for (const url of [
    'https://broker.example',
    'https://broker.example:8443/x',
    'http://localhost:7071',
    'http://[::1]:1',
  ])
    assert.ok(isBrokerUrl(url), url);
  for (const url of [
    'http://broker.example',
    'broker.example',
    'ftp://broker.example',
    'http://127.0.0.1.example',
    'https://me:word@broker.example',
    '',
  ])
    assert.ok(!isBrokerUrl(url), url);
});
