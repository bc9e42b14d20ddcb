import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greeting } from '../../src/local/greeting.ts';
import type { Description } from '../../src/local/launch.ts';

const description = (accounts: number) =>
  ({
    instances: ['http://127.0.0.1:7071'],
    console: 'http://127.0.0.1:7071/console',
    resources: Array.from({ length: accounts }, (_, at) => ({
      name: `account-${at}`,
      ...(at === accounts - 1 ? { secret: 'key' } : {}),
    })),
    callers: Array.from({ length: 30 }, (_, at) => ({
      name: `caller-${at}`,
      kind: 'application',
      may: at < 7 ? [] : [{ resource: `account-${accounts - 1}` }],
    })),
  }) as unknown as Description;

test('the greeting fits on a screen of 80 columns and 24 rows, with the next steps at its end', () => {
  for (const accounts of [1, 6, 1_000]) {
    const text = greeting(description(accounts), '/tmp/ai-token-broker-AbCdEf');
    const rows = text.trimEnd().split('\n');
    assert.ok(rows.length <= 20, `${rows.length} rows`);
    for (const row of rows) assert.ok(row.length <= 80, row);
    assert.ok(rows.slice(-8).some((row) => row.includes('first-token.sh')));
    assert.match(text, /open http:\/\/127\.0\.0\.1:7071\/console in a browser/);
    assert.match(rows.at(-1) ?? '', /--help/);
  }
});

test('where the folder has a long name the commands stay whole', () => {
  const folder = `/var/folders/${'x'.repeat(60)}/ai-token-broker-AbCdEf`;
  assert.ok(greeting(description(3), folder).includes(`tail -f ${folder}/broker.log\n`));
});

test('three commands to paste name a caller and an account that they work with, the same in every shell', () => {
  const text = greeting(description(3), '/tmp/ai-token-broker-AbCdEf');
  for (const line of [
    /get a token +npx azure-ai-token-broker token account-2 --as caller-7$/m,
    /see the keys +npx azure-ai-token-broker status$/m,
    /end an access +npx azure-ai-token-broker revoke --user caller-7 --reason try$/m,
  ])
    assert.match(text, line);
});
