import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * A key or a token. Printing, logging, inspecting or serialising it shows only its fingerprint, so that
 * invariant 8 (no key or token in a log, an error or a row) does not hang on anyone's care.
 */
export class Secret {
  readonly #value: string;
  #sha256: string | undefined;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one line that sends it where it belongs. */
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
  return createHash('sha256').update(text).digest('hex');
}
