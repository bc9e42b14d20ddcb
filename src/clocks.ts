/**
 * How far clocks may be apart. The tolerance of the token verification and the cut-off of a revocation both follow
 * from this number. So every token that the verification accepts has an `iat` that a cut-off can cover.
 */

/** The clock of Entra, of a sender of events and of each instance may be wrong by so much, ahead or behind. */
export const MAX_CLOCK_OFF_SECONDS = 60;

/**
 * So two clocks may differ by twice as much: the `iat` of a token that Entra has just issued may be so far ahead of
 * the clock of the instance that revokes it.
 */
export const MAX_CLOCKS_DIFFER_SECONDS = 2 * MAX_CLOCK_OFF_SECONDS;
