/** How a command ends when it could not do what was asked. The exit codes are part of what programs may rely on. */

export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, notAllowed: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command: what went wrong, and the next step for whoever reads it. Holds no token and no key. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** What to do next, in one sentence or a command to type. */
  readonly nextStep: string | undefined;

  constructor(kind: Exclude<keyof typeof EXIT, 'done'>, message: string, nextStep?: string) {
    super(message);
    this.exitCode = EXIT[kind];
    this.nextStep = nextStep;
  }
}
