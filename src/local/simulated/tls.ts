/** The certificate authority of the simulated services, made at every start; only its public half is written. */
import { webcrypto } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

/** PEM texts. */
export interface Tls {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** OpenSSL checks these by the clock on the wall, so they do not follow virtual time. */
const validity = { notBefore: new Date('2020-01-01'), notAfter: new Date('2120-01-01') };
const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate authority, and a certificate for loopback under it. */
export async function createTls(): Promise<Tls> {
  const [authority, leaf] = await Promise.all([keyPair(), keyPair()]);
  const authorityName = 'CN=Simulated Azure';
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: '01',
    name: authorityName,
    keys: authority,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const cert = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: '02',
    subject: 'CN=localhost',
    issuer: authorityName,
    signingKey: authority.privateKey,
    publicKey: leaf.publicKey,
    signingAlgorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', leaf.privateKey));
  return {
    ca: ca.toString('pem'),
    cert: cert.toString('pem'),
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
  };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(signingAlgorithm, true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

/** Adds a certificate authority to what this process trusts, for `https` and `fetch` alike. */
export function trust(caPem: string): void {
  setDefaultCACertificates([...getCACertificates('default'), caPem]);
}
