import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, readIssuerConfig, readRotatorConfig } from '../src/config.ts';
import { isLoopback } from '../src/loopback.ts';
import { issuerSettings, rotatorSettings } from '../src/settings.ts';

const GUID = '00000000-0000-4000-8000-000000000001';
const complete = {
  BROKER_ISSUER: 'https://broker.example/',
  BROKER_TENANT_ID: GUID,
  BROKER_CLIENT_ID: GUID,
  BROKER_KEY_VAULT_URL: 'https://vault.example',
  BROKER_TABLES_URL: 'https://tables.example',
  BROKER_BLOBS_URL: 'https://blobs.example',
  BROKER_QUEUES_URL: 'https://queues.example',
  BROKER_ISSUER_IDENTITY: GUID,
};
const rotator = {
  BROKER_TENANT_ID: GUID,
  BROKER_KEY_VAULT_URL: 'https://vault.example',
  BROKER_TABLES_URL: 'https://tables.example',
  BROKER_BLOBS_URL: 'https://blobs.example',
  BROKER_ROTATOR_IDENTITY: GUID,
};
function problemsOf(
  environment: Record<string, string | undefined>,
  read: (environment: Record<string, string | undefined>) => void = readIssuerConfig,
): string {
  try {
    read(environment);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

test('the required settings are enough, and the rest is safe', () => {
  const config = readIssuerConfig(complete);
  assert.equal(config.BROKER_ISSUER, 'https://broker.example', 'no slash at the end');
  assert.equal(config.BROKER_ACCEPT_V1, false);
  assert.equal(config.BROKER_FRESHNESS_SECONDS, 0);
  assert.equal(config.BROKER_MINIMUM_LIFE_SECONDS, 60);
  assert.deepEqual(config.BROKER_AUDIENCE_URIS, []);
});

test('a GUID in capitals is the same GUID: tokens and events have it in small letters', () => {
  const config = readIssuerConfig({ ...complete, BROKER_TENANT_ID: 'ABCDEF00-0000-4000-8000-00000000000F' });
  assert.equal(config.BROKER_TENANT_ID, 'abcdef00-0000-4000-8000-00000000000f');
});

test('an issuer is an origin and nothing else (RFC 8414 section 2)', () => {
  for (const rest of ['/path', '/?tenant=x', '/#x', '/?'])
    assert.match(
      problemsOf({ ...complete, BROKER_ISSUER: `https://broker.example${rest}` }),
      /must have no path/,
    );
});

test('every problem is reported together, by the name of its setting', () => {
  const message = problemsOf({
    BROKER_ISSUER: 'http://broker.example',
    BROKER_TENANT_ID: 'contoso',
    BROKER_FRESHNESS_SECONDS: '31',
    BROKER_ACCEPT_V1: 'yes',
  });
  for (const line of [
    'BROKER_ISSUER: must be https',
    'BROKER_TENANT_ID: must be a GUID',
    'BROKER_CLIENT_ID: is not set',
    'BROKER_KEY_VAULT_URL: is not set',
    'BROKER_FRESHNESS_SECONDS: ',
    'BROKER_ACCEPT_V1: ',
  ])
    assert.ok(message.includes(`\n${line}`), `${line} in ${message}`);
});

test('an app refuses each setting that only the other one knows, by its name', () => {
  const asRotator = (environment: Record<string, string>) =>
    problemsOf(environment, (given) => void readRotatorConfig(given));
  assert.equal(asRotator(rotator), '');
  const only = (own: object, other: object) => Object.keys(own).filter((name) => !(name in other));
  const ofIssuer = only(issuerSettings.shape, rotatorSettings.shape);
  const ofRotator = only(rotatorSettings.shape, issuerSettings.shape);
  assert.ok(ofIssuer.includes('BROKER_ISSUER_IDENTITY') && ofRotator.includes('BROKER_ROTATOR_IDENTITY'));
  for (const name of ofIssuer)
    assert.match(
      asRotator({ ...rotator, [name]: 'x' }),
      new RegExp(`\\n${name}: is a setting of the issuer app`),
    );
  for (const name of ofRotator)
    assert.match(
      problemsOf({ ...complete, [name]: 'x' }),
      new RegExp(`\\n${name}: is a setting of the rotator app`),
    );
  assert.equal(asRotator({ ...rotator, BROKER_ISSUER: '' }), '', 'empty is not set');
});

test('an empty setting is one that is not set, never the number 0', () => {
  assert.equal(
    readIssuerConfig({ ...complete, BROKER_MINIMUM_LIFE_SECONDS: '' }).BROKER_MINIMUM_LIFE_SECONDS,
    60,
  );
  assert.equal(
    readIssuerConfig({ ...complete, BROKER_MINIMUM_LIFE_SECONDS: ' ' }).BROKER_MINIMUM_LIFE_SECONDS,
    60,
  );
  assert.match(problemsOf({ ...complete, BROKER_CLIENT_ID: '' }), /BROKER_CLIENT_ID: is not set/);
});

test('numbers are whole seconds within their limits', () => {
  for (const value of ['-1', '301', '1.5', 'x', '1e9', 'Infinity', 'NaN'])
    assert.match(
      problemsOf({ ...complete, BROKER_MINIMUM_LIFE_SECONDS: value }),
      /BROKER_MINIMUM_LIFE_SECONDS/,
      value,
    );
});

test('addresses are https, or http on loopback', () => {
  for (const url of ['https://x.example', 'http://127.0.0.1:7071', 'http://localhost', 'http://[::1]:1'])
    assert.equal(problemsOf({ ...complete, BROKER_ISSUER: url }), '', url);
  for (const url of [
    'http://x.example',
    'ftp://x.example',
    'x.example',
    'http://127.0.0.1.x.example',
    'file:///etc',
  ])
    assert.match(problemsOf({ ...complete, BROKER_ISSUER: url }), /BROKER_ISSUER/, url);
  assert.ok(isLoopback('[::1]') && !isLoopback('127.0.0.1.example'));
});

test('a problem never repeats the value: a setting may hold what it should not', () => {
  assert.ok(!problemsOf({ ...complete, BROKER_CLIENT_ID: 'a-secret-by-mistake' }).includes('a-secret'));
});

test('every setting says what it is for', () => {
  for (const [name, setting] of Object.entries({ ...issuerSettings.shape, ...rotatorSettings.shape }))
    assert.ok((setting as { description?: string }).description, name);
});

test('origins of browsers are exact: no wildcard, no path, https but on loopback', () => {
  const origins = 'https://app.example http://localhost:3000';
  assert.deepEqual(
    readIssuerConfig({ ...complete, BROKER_CORS_ORIGINS: origins }).BROKER_CORS_ORIGINS,
    origins.split(' '),
  );
  for (const wrong of [
    '*',
    'https://app.example/',
    'https://App.example',
    'http://app.example',
    'null',
    'app.example',
  ])
    assert.match(
      problemsOf({ ...complete, BROKER_CORS_ORIGINS: wrong }),
      /BROKER_CORS_ORIGINS: must be origins/,
      wrong,
    );
});

test('a legal hold is an instant, or none; a wrong one is no hold that nobody notices', () => {
  assert.equal(readRotatorConfig(rotator).BROKER_HOLD_FROM, undefined);
  const from = '2026-11-26T00:00:00Z';
  assert.equal(readRotatorConfig({ ...rotator, BROKER_HOLD_FROM: from }).BROKER_HOLD_FROM, Date.parse(from));
  for (const wrong of ['2026-11-26', 'yesterday', '1'])
    assert.match(
      problemsOf({ ...rotator, BROKER_HOLD_FROM: wrong }, readRotatorConfig),
      /^wrong settings:\nBROKER_HOLD_FROM: must be an instant/,
    );
});

test('the audit is kept for ninety days unless another number is set, and for two at least', () => {
  assert.equal(readRotatorConfig(rotator).BROKER_AUDIT_DAYS, 90);
  for (const wrong of ['0', '1', '-90', '1.5', 'ever'])
    assert.match(
      problemsOf({ ...rotator, BROKER_AUDIT_DAYS: wrong }, readRotatorConfig),
      /BROKER_AUDIT_DAYS: /,
    );
});
