import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanTarget } from '../../src/policy/asked-for.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl';
const KEY = 'AbCdEfGh0123456789'.repeat(5).slice(0, 84);
const HEX = '0123456789abcdef'.repeat(2);
const BASE64 = `${'QUJD'.repeat(8)}+/${'REVG'.repeat(13)}==`;

for (const [what, text, kept] of [
  ['a name', 'speech-prod', 'speech-prod'],
  ['a name in odd spelling', 'Speech Prod\n"x"', 'Speech_Prod__x_'],
  ['a host', 'https://x.cognitiveservices.azure.com/', 'https://x.cognitiveservices.azure.com'],
  [
    'a host with user, path, query and fragment',
    'https://u:p@x.example:8443/a?key=k#f',
    'https://x.example:8443',
  ],
  ['another kind of URI', 'api://broker/.default', 'api://broker/.default'],
  ['nothing but blanks', '   ', '___'],
] as const)
  test(`${what} is kept as "${kept}"`, () => {
    assert.equal(cleanTarget(text), kept);
    assert.equal(cleanTarget(kept), kept, 'and found again under what was kept');
  });

for (const [what, secret] of Object.entries({
  'a token': JWT,
  'a key': KEY,
  'an older key': HEX,
  'a base64 key': BASE64,
}))
  test(`${what} in place of a resource is not kept, however it is wrapped`, () => {
    const wrapped = [
      secret,
      ` ${secret} `,
      `https://x.example/${secret}`,
      `https://x.example/?key=${secret}`,
      `https://${secret}@x.example/`,
      `key=${secret}`,
      encodeURIComponent(secret),
      `${'x'.repeat(70)} ${secret}`,
    ];
    for (const text of wrapped) {
      const kept = cleanTarget(text);
      assert.ok(kept.length <= 100);
      // No run of it that is long enough to be tried.
      for (let at = 0; at + 21 <= secret.length; at += 1)
        assert.ok(!kept.includes(secret.slice(at, at + 21)), `${what} shows`);
    }
  });

test('a text of any length is cleaned before it is cut, so that no rest of a key is left at the end', () => {
  for (let before = 0; before < 120; before += 1) {
    const kept = cleanTarget(`${'ab.'.repeat(40).slice(0, before)}.${KEY}`);
    assert.ok(!kept.includes(KEY.slice(0, 12)), String(before));
    assert.ok(kept.length <= 100);
  }
});
