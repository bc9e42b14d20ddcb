import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as after } from 'node:timers/promises';
import { format, inspect } from 'node:util';
import { createLog } from '../src/log.ts';
import { Secret, sha256 } from '../src/secret.ts';

const VALUE = 'a-key-that-nobody-may-see';

test('no way to print a secret shows its value', async () => {
  const secret = new Secret(VALUE);
  const lines: string[] = [];
  createLog((text) => lines.push(text))('event', { secret: secret as unknown as string });
  await after(60);
  assert.equal(lines.length, 1);
  const printed = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret, list: [secret] }),
    inspect(secret, { showHidden: true, depth: 9 }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    format('%s %o %O %j', secret, secret, secret, secret),
    new Error(`${secret}`).stack ?? '',
    Object.values(secret).join(),
    Object.getOwnPropertyNames(secret).join(),
    lines.join(''),
  ];
  for (const text of printed) assert.ok(!text.includes(VALUE), text);
  assert.equal(String(secret), `[secret ${sha256(VALUE).slice(0, 16)}]`);
});

test('the value is there for who asks for it by name', () => {
  const secret = new Secret(VALUE);
  assert.equal(secret.reveal(), VALUE);
  assert.equal(secret.sha256, sha256(VALUE));
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
