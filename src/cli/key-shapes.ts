/**
 * What has the shape of an account key: 32 hexadecimal digits, as they were given for years, and 84 letters and digits,
 * as they are given today. The shape alone says little (a GUID without hyphens has it too), so what is found is its
 * hash, and the broker's accounts decide. The text itself leaves this file only as a hash.
 */
import { createHash } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';

const SHAPES = /(?<![A-Za-z0-9])(?:[0-9a-f]{32}|[A-Za-z0-9]{84})(?![A-Za-z0-9])/g;
/** A line may be the whole of a minified file. What of it is kept for the next part must hold a key and its borders. */
const KEPT = 86;

export interface Place {
  /** Of `git log -p`. */
  readonly commit?: string;
  readonly file?: string;
  readonly line: number;
}
export interface Candidate {
  readonly fingerprint: string;
  readonly place: Place;
}

/** @param name of the file, where it is one */
export async function* keysIn(
  text: AsyncIterable<Buffer | string>,
  name: string | undefined,
): AsyncGenerator<Candidate> {
  const decoder = new StringDecoder('utf8');
  const at: { commit?: string; file?: string; line: number } = {
    ...(name !== undefined && { file: name }),
    line: 1,
  };
  let rest = '';
  for await (const part of text) {
    const fresh = typeof part === 'string' ? part : decoder.write(part);
    let from = 0;
    for (let end = fresh.indexOf('\n'); end !== -1; end = fresh.indexOf('\n', from)) {
      yield* inLine(rest + fresh.slice(from, end), at);
      at.line += 1;
      rest = '';
      from = end + 1;
    }
    rest += fresh.slice(from);
    if (rest.length > 1_000_000) {
      // Not in the middle of what may be a key: it is looked at with what follows.
      const cut = rest.length - KEPT;
      const border = rest.slice(cut).search(/[^A-Za-z0-9]/);
      const end = border === -1 ? rest.length : cut + border;
      yield* inLine(rest.slice(0, end), at);
      rest = rest.slice(end);
    }
  }
  yield* inLine(rest + decoder.end(), at);
}

function* inLine(line: string, at: { commit?: string; file?: string; line: number }): Generator<Candidate> {
  const commit = /^commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?: |$)/.exec(line)?.[1];
  if (commit !== undefined) {
    at.commit = commit;
    return;
  }
  const file = at.commit === undefined ? undefined : /^\+\+\+ b\/(.+)$/.exec(line)?.[1];
  if (file !== undefined) at.file = file;
  for (const [key] of line.matchAll(SHAPES)) {
    const fingerprint = createHash('sha256').update(key).digest('hex').slice(0, 16);
    yield { fingerprint, place: { ...at } };
  }
}
