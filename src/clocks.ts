/**
 * How far clocks may be apart. What verification lets pass and what a revocation cuts off both follow from
 * this one number, so that no token can be young enough for the first and too young for the second.
 */

/** The clock of Entra, of a sender of events and of each instance may be off by this much, either way. */
export const MAX_CLOCK_OFF_SECONDS = 60;

/**
 * So two clocks may differ by twice that: a token that Entra issued a moment ago may be dated this far ahead
 * of the clock of the instance that revokes it.
 */
export const MAX_CLOCKS_DIFFER_SECONDS = 2 * MAX_CLOCK_OFF_SECONDS;
