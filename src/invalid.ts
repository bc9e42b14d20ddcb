/**
 * An input that cannot be used. The sender reads `problem`, which never repeats the input, because it may be a secret
 * in the wrong place. See "How "no" is said" in README.md.
 */
export interface Invalid {
  readonly kind: 'invalid';
  readonly problem: string;
}

export const invalid = (problem: string): Invalid => ({ kind: 'invalid', problem });
