/**
 * What was given cannot be used. The problem is for whoever gave it, and never repeats what was written: that may be
 * a secret in the wrong place. See "How no is said" in README.md.
 */
export interface Invalid {
  readonly kind: 'invalid';
  readonly problem: string;
}

export const invalid = (problem: string): Invalid => ({ kind: 'invalid', problem });
