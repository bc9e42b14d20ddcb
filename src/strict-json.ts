/**
 * What JSON.parse lets pass and a token, a request or a policy must not have: a member twice in one object
 * (RFC 8725 section 2.5; the last would win), members that differ only in case (Entra's own validator refuses
 * them), numbers beyond what a double can hold (`exp: 1e400` would never expire), and nesting without end.
 * @returns undefined for anything but one plain object
 */
export function parseStrictObject(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return hasRepeatedMember(text) || isUnfit(value) ? undefined : (value as Record<string, unknown>);
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/** Walks the text of valid JSON: a string in an object is a member's name when nothing but `{` or `,` stands before it. */
export function hasRepeatedMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  let atName = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') {
      open.push(new Set());
      atName = true;
    } else if (token === '[') {
      open.push(undefined);
      atName = false;
    } else if (token === '}' || token === ']') {
      open.pop();
      atName = false;
    } else if (token === ',') {
      atName = open.at(-1) !== undefined;
    } else if (token !== ':' && atName) {
      const name = String(JSON.parse(token)).toLowerCase();
      const names = open.at(-1);
      if (names?.has(name)) return true;
      names?.add(name);
      atName = false;
    }
  }
  return false;
}

/** No token or request of ours is nested deeper; JSON.parse itself knows no limit, our own recursion must. */
const DEEPEST = 32;

function isUnfit(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  return depth === DEEPEST || Object.values(value).some((inner) => isUnfit(inner, depth + 1));
}
