/** The signing keys of the simulated Entra: one signs, old ones still verify, only the current one is published. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { loadJson, saveJson } from './durable.ts';

export type Members = Readonly<Record<string, unknown>>;

export interface EntraKeys {
  readonly keyId: string;
  /** The published set: v2 keys name their issuer, v1 keys do not. */
  published(issuer: string | undefined): { keys: Members[] };
  /** A new key signs from now on; the old one leaves the published set at once. */
  rollover(): void;
  /** An RS256 token by the current key. `header` is merged over the real one, whatever it says. */
  sign(claims: Members, header?: Members): string;
  /** True if this text was signed by a key of ours, today's or an earlier one. */
  verifies(keyId: string, signed: string, signature: Buffer): boolean;
}

const saved = z.strictObject({ pems: z.array(z.string()).min(1) });
interface Key {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function createEntraKeys(dataFolder: string): EntraKeys {
  const path = join(dataFolder, 'entra-keys.json');
  const found = loadJson(path);
  /** Newest first. */
  let keys = found === undefined ? [] : saved.parse(found).pems.map(fromPem);
  function add(): Key {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = fromKey(privateKey);
    keys = [key, ...keys];
    const pems = keys.map((one) => one.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    saveJson(path, { pems });
    return key;
  }
  let current = keys[0] ?? add();

  return {
    get keyId() {
      return current.id;
    },
    published(issuer) {
      const { n, e } = current.publicKey.export({ format: 'jwk' });
      const key = { kty: 'RSA', use: 'sig', kid: current.id, x5t: current.id, n, e };
      return { keys: [issuer === undefined ? key : { ...key, issuer }] };
    },
    rollover() {
      current = add();
    },
    sign(claims, header = {}) {
      const id = current.id;
      const version = claims['ver'] === '1.0' ? { x5t: id } : {};
      const head = encode({ typ: 'JWT', alg: 'RS256', ...version, kid: id, ...header });
      const text = `${head}.${encode(claims)}`;
      return `${text}.${sign('RSA-SHA256', Buffer.from(text), current.privateKey).toString('base64url')}`;
    },
    verifies(keyId, signed, signature) {
      const key = keys.find((one) => one.id === keyId);
      return key !== undefined && verify('RSA-SHA256', Buffer.from(signed), key.publicKey, signature);
    },
  };
}

function fromPem(pem: string): Key {
  return fromKey(createPrivateKey(pem));
}

function fromKey(privateKey: KeyObject): Key {
  const publicKey = createPublicKey(privateKey);
  const { n } = publicKey.export({ format: 'jwk' });
  return { id: createHash('sha1').update(String(n)).digest('base64url'), privateKey, publicKey };
}

function encode(members: Members): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url');
}
