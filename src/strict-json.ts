/**
 * Parses JSON and refuses what JSON.parse accepts but a token or a request must not have: a member twice in one object
 * (RFC 8725 section 2.5; the last would win), members that differ only in case (Entra's own validator refuses them),
 * numbers that a double cannot hold (`exp: 1e400` would never expire), and too many values or levels. These are
 * counted before anything is parsed, so that 64 KB from anybody cost a fraction of a millisecond.
 * @returns `unreadable` for anything but one plain object
 */
export function parseStrictObject(
  text: string,
  maxValues = MAX_VALUES,
): Record<string, unknown> | 'unreadable' {
  if (!isBounded(text, maxValues)) return 'unreadable';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'unreadable';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'unreadable';
  return hasRepeatedMember(text) || hasEndlessNumber(value)
    ? 'unreadable'
    : (value as Record<string, unknown>);
}

/** A token with 200 groups and as many roles has some 500 names and values. */
const MAX_VALUES = 1_000;
/** No expected token or request is nested deeper. JSON.parse itself has no limit. */
const MAX_DEPTH = 32;

/** Counts without parsing, also in a text that is not JSON: commas and strings for values, brackets for levels. */
function isBounded(text: string, maxValues: number): boolean {
  let depth = 0;
  let commas = 0;
  let strings = 0;
  return walk(text, (character) => {
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ',') commas += 1;
    else strings += 1;
    // A member has two strings, its name and its value.
    return depth <= MAX_DEPTH && commas < maxValues && strings <= 2 * maxValues;
  });
}

/** The text must be valid JSON. A string in an object is a member's name when it follows directly on `{` or `,`. */
export function hasRepeatedMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  let atName = false;
  return !walk(text, (character, from, to) => {
    const isName = character === '"' && atName;
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    atName = character === '{' || (character === ',' && open.at(-1) !== undefined);
    if (!isName) return true;
    const spelled = text.slice(from + 1, to - 1);
    const name = (spelled.includes('\\') ? String(JSON.parse(`"${spelled}"`)) : spelled).toLowerCase();
    const names = open.at(-1);
    if (names?.has(name)) return false;
    names?.add(name);
    return true;
  });
}

/**
 * Calls `goOn` for every bracket and comma outside of strings and for the first quote of every string, in order.
 * @param goOn returns false to end the walk
 * @returns whether the end was reached
 */
function walk(text: string, goOn: (character: string, from: number, to: number) => boolean): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const from = at;
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code !== COMMA && (code | 0x20) !== OPEN && (code | 0x20) !== CLOSE) continue;
    if (!goOn(text.charAt(from), from, at + 1)) return false;
  }
  return true;
}

const COMMA = 0x2c;
/** `{` and `}`. The square brackets differ from them only in the bit 0x20. */
const OPEN = 0x7b;
const CLOSE = 0x7d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The index of the quote that ends the string, or of the text's last character if there is none. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length - 1;
}

function hasEndlessNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasEndlessNumber);
}
