/** The certificate authority of the simulated services, made at every start; only its public half is written. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { bits, implied, integer, octets, oid, sequence, set, tagged, text, time, yes } from './der.ts';

/** PEM texts. */
export interface Tls {
  readonly ca: string;
  readonly key: string;
  readonly cert: string;
}

/** OpenSSL checks these by the clock on the wall, so they do not follow virtual time. */
const validity = sequence(time(new Date('2020-01-01')), time(new Date('2120-01-01')));
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** RFC 5280, section 4.2.1; those of the authority and of the key are what OpenSSL's strict check asks for. */
const extensions = {
  authority: extension('2.5.29.19', sequence(yes, integer(0)), 'critical'),
  /** keyCertSign is the sixth bit of a byte whose last two are not used. */
  signsCertificates: extension('2.5.29.15', bits(Buffer.of(0b100), 2), 'critical'),
  hasKey: (key: KeyObject) => extension('2.5.29.14', octets(keyId(key))),
  isByKey: (key: KeyObject) => extension('2.5.29.35', sequence(implied(0, keyId(key)))),
  isLoopback: extension('2.5.29.17', sequence(implied(2, 'localhost'), implied(7, Buffer.of(127, 0, 0, 1)))),
  isServer: extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
};

/** A certificate authority, and a certificate for loopback under it. */
export function createTls(): Tls {
  const [authority, leaf] = [keyPair(), keyPair()];
  const issuer = { name: 'Simulated Azure', key: authority.privateKey };
  const { authority: isAuthority, signsCertificates, hasKey, isByKey, isLoopback, isServer } = extensions;
  return {
    ca: certificate(1, issuer, 'Simulated Azure', authority.publicKey, [
      isAuthority,
      signsCertificates,
      hasKey(authority.publicKey),
    ]),
    cert: certificate(2, issuer, 'localhost', leaf.publicKey, [
      isLoopback,
      isServer,
      isByKey(authority.publicKey),
    ]),
    key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** RFC 5280, section 4.1. */
function certificate(
  serial: number,
  issuer: { readonly name: string; readonly key: KeyObject },
  subject: string,
  key: KeyObject,
  extensions: readonly Buffer[],
): string {
  const signed = sequence(
    // Version 3 is written as 2.
    tagged(0, integer(2)),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer.name),
    validity,
    nameOf(subject),
    key.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions)),
  );
  const whole = sequence(signed, ecdsaWithSha256, bits(sign('sha256', signed, issuer.key)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function nameOf(common: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), text(common))));
}

function extension(id: string, value: Buffer, critical?: 'critical'): Buffer {
  return sequence(oid(id), ...(critical ? [yes] : []), octets(value));
}

/** Section 4.2.1.2: the SHA-1 of the public point, which is the end of the key in its DER form. */
function keyId(key: KeyObject): Buffer {
  const POINT_BYTES = 65;
  const point = key.export({ type: 'spki', format: 'der' }).subarray(-POINT_BYTES);
  return createHash('sha1').update(point).digest();
}

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Adds a certificate authority to what this process trusts, for `https` and `fetch` alike. */
export function trust(caPem: string): void {
  setDefaultCACertificates([...getCACertificates('default'), caPem]);
}
