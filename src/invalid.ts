/**
 * An input that cannot be used. The sender reads `problem`, which does not repeat the input, because it may be a secret
 * in the wrong place. The one exception is a name that has the form of a name of the policy and not of a secret. See "How "no" is said" in README.md.
 */
export interface Invalid {
  readonly kind: 'invalid';
  readonly problem: string;
}

export const invalid = (problem: string): Invalid => ({ kind: 'invalid', problem });
