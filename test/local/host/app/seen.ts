/** What the functions of the app were given, for the tests to look at. */
export const seen = {
  waiting: [] as (() => void)[],
  timers: [] as { name: string; timer: unknown; at: number }[],
  events: [] as { event: Record<string, unknown>; triggerMetadata: unknown }[],
  hooks: [] as string[],
  /** How many event invocations run at this moment, and the most there were. */
  running: 0,
  mostRunning: 0,
};
