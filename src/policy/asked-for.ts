/**
 * The name under which the audit has what a caller asked for, when the policy does not know it. It is the caller's own
 * text: an auditor who asks for the same text finds it, and nothing that looks like a key or a token is kept.
 */
import { withoutSecrets } from '../secret.ts';

/** A host name has at most 63 characters before its domain. */
const MAX_CHARACTERS = 100;

export function cleanTarget(text: string): string {
  // Blanks separate the names in the table of the audit. An odd character between the parts of a secret must not
  // hide it, so these are replaced first.
  const plain = withoutRest(text).replaceAll(/[^A-Za-z0-9.:/_-]/g, '_');
  return withoutSecrets(plain).slice(0, MAX_CHARACTERS);
}

/** An account is at the root of its host. What follows, or comes before the host, may be a key. */
function withoutRest(text: string): string {
  if (!URL.canParse(text)) return text;
  const { origin } = new URL(text);
  return origin === 'null' ? text : origin;
}
