/** What the queue function was given, for the tests to look at. */
export const taken = {
  messages: [] as { message: unknown; triggerMetadata: unknown }[],
  arrived: undefined as (() => void) | undefined,
  /** What the function does; a rejection is its failure. */
  meanwhile: undefined as ((message: unknown) => Promise<void>) | undefined,
};
