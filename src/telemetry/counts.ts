/** What is counted at every exchange: plain numbers, which the SDK reads when it exports. */
export const counts = {
  callerLookups: 0,
  callerMisses: 0,
  tokenLookups: 0,
  tokenMisses: 0,
  headLooks: 0,
  headReads: 0,
};
export type Count = keyof typeof counts;
