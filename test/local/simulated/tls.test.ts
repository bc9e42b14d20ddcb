import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTls } from '../../../src/local/simulated/tls.ts';

const tls = createTls();
const ca = new X509Certificate(tls.ca);
const cert = new X509Certificate(tls.cert);

test('the authority signs certificates of others, for a hundred years and more, and itself', () => {
  assert.ok(ca.ca);
  assert.ok(ca.checkIssued(ca) && ca.verify(ca.publicKey));
  assert.deepEqual([ca.subject, ca.serialNumber], ['CN=Simulated Azure', '01']);
  assert.deepEqual([ca.validFromDate, ca.validToDate], [new Date('2020-01-01'), new Date('2120-01-01')]);
});

test('the certificate is of a server on loopback, signed by the authority, and the key is its own', () => {
  assert.ok(!cert.ca);
  assert.ok(cert.checkIssued(ca) && cert.verify(ca.publicKey));
  assert.ok(cert.checkPrivateKey(createPrivateKey(tls.key)));
  assert.ok(cert.checkHost('localhost') && cert.checkIP('127.0.0.1'));
  assert.equal(cert.checkHost('example.com'), undefined);
  assert.deepEqual(cert.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  assert.deepEqual([cert.subject, cert.serialNumber], ['CN=localhost', '02']);
});

test('every start has an authority of its own', () => {
  assert.notEqual(createTls().ca, tls.ca);
  assert.ok(!cert.verify(new X509Certificate(createTls().ca).publicKey));
});

// LibreSSL, which macOS has under this name, lacks some of the options.
const hasOpenssl = /^OpenSSL 3/.test(String(spawnSync('openssl', ['version']).stdout));
test('OpenSSL takes both by its strict rules, as Python asks for', { skip: !hasOpenssl }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [caFile, certFile] = [join(folder, 'ca.pem'), join(folder, 'cert.pem')];
  writeFileSync(caFile, tls.ca);
  writeFileSync(certFile, tls.cert);
  const server = ['-purpose', 'sslserver', '-verify_ip', '127.0.0.1', '-verify_hostname', 'localhost'];
  const { status, stderr } = spawnSync(
    'openssl',
    ['verify', '-x509_strict', ...server, '-CAfile', caFile, certFile],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
});
