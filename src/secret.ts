import { hash } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * A key or a token. Printing, logging, inspecting or serialising it shows only its fingerprint, so that a mistake
 * elsewhere does not break invariant 8 (no key or token in a log, an error or a row).
 */
export class Secret {
  readonly #value: string;
  #sha256: string | undefined;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Only the line that sends it to its service may call this. */
  reveal(): string {
    return this.#value;
  }

  /** SHA-256 of the value, 64 hexadecimal digits. */
  get sha256(): string {
    this.#sha256 ??= sha256(this.#value);
    return this.#sha256;
  }

  toString(): string {
    return `[secret ${this.sha256.slice(0, 16)}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** SHA-256 of a text, 64 hexadecimal digits. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/**
 * A text that looks like a token or a key: a JWT, 32 or more hexadecimal digits as in an older key, or 40 or more
 * characters of base64 in a row, which is longer than a GUID.
 */
const SECRET_LIKE = /eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*){0,2}|[0-9a-fA-F]{32,}|[A-Za-z0-9+/_=-]{40,}/g;

/** Removes tokens and keys from a text that somebody else sent, so that none is stored or logged by mistake. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(SECRET_LIKE, '[redacted]');
}
