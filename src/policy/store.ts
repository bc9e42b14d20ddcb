/** Where the versions of the policy are kept, and which one is in force. Every method may throw UpstreamFailure. */

/** Which version is in force, and how it came to be. */
export interface InForce {
  readonly version: string;
  /** Goes up by one with each change. */
  readonly serial: number;
  /** `packaged`: the file of the app's package, which an empty store starts with. */
  readonly how: 'packaged' | 'applied' | 'rolled back';
  /** The object id of who did it; of a packaged one the app itself. */
  readonly by: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
  /** The commit that it came from. */
  readonly commit?: string | undefined;
}
export interface Pointer extends InForce {
  readonly etag: string;
}

export interface PolicyReader {
  /** undefined: no policy was ever put in force. */
  pointer(): Promise<Pointer | undefined>;
  /**
   * A text that is not whole, or not the one that was kept, is an outage.
   * @param version all of its digits, or the first twelve
   * @returns undefined: there is no such version
   */
  text(version: string): Promise<string | undefined>;
}
export interface PolicyStore extends PolicyReader {
  /** Keeps a text of compact JSON under its version. What is kept is never changed, so to keep it again changes nothing. */
  keep(version: string, text: string): Promise<void>;
  /** Adds what was in force to the history. To add it again changes nothing. */
  remember(was: InForce): Promise<void>;
  /** Puts another version in force, if nobody else did since the pointer was read. */
  point(next: InForce, since: Pointer | undefined): Promise<'pointed' | 'moved'>;
  /** What was in force before the pointer's, the newest first: those of lower serial numbers than `before`. */
  history(most: number, before: number | undefined): Promise<readonly InForce[]>;
  /** Whether the version was in force at some time before. */
  wasInForce(version: string): Promise<boolean>;
}

/** What a running instance of either app can read. */
export interface Announced {
  readonly instance: string;
  /** Paths, as `members.ts` makes them. */
  readonly members: readonly string[];
}
export interface Announcements {
  /** Says it, or says it again. */
  say(announced: Announced, untilMs: number): Promise<void>;
  /** Those of instances that live, or may still. */
  alive(nowMs: number): Promise<readonly Announced[]>;
  /** Removes what is over. */
  sweep(nowMs: number): Promise<void>;
}
