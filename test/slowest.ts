/**
 * Prints the ten slowest test files at the end of a run. Passed to `node --test` beside the usual reporter; a file's
 * time is that of its tests at the top level, so starting its process is not in it.
 */
interface Reported {
  readonly type: string;
  readonly data: {
    readonly nesting: number;
    readonly file?: string;
    readonly details?: { readonly duration_ms: number };
  };
}

const SHOWN = 10;

export default async function* slowest(events: AsyncIterable<Reported>): AsyncGenerator<string> {
  const times = new Map<string, number>();
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting !== 0 || data.file === undefined)
      continue;
    times.set(data.file, (times.get(data.file) ?? 0) + (data.details?.duration_ms ?? 0));
  }
  const most = [...times].sort(([, one], [, other]) => other - one).slice(0, SHOWN);
  if (most.length === 0) return;
  yield `\nThe slowest of ${times.size} test files:\n`;
  const top = `${process.cwd()}/`;
  for (const [file, ms] of most) yield `${(ms / 1000).toFixed(1).padStart(7)} s  ${file.replace(top, '')}\n`;
}
