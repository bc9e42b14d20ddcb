/** The request target as Kestrel hands it on: dot segments resolved, the path decoded once, `%2F` left alone. */

/** `badRequest` where the path holds a NUL or is not a path. */
export function decodePath(path: string): { readonly path: string } | 'badRequest' {
  if (!path.startsWith('/')) return 'badRequest';
  // Nearly every path is plain already.
  if (!path.includes('%') && !path.includes('/.')) return { path };
  const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, decodeRun);
  if (decoded.includes('\0')) return 'badRequest';
  return { path: resolveDots(decoded) };
}

function decodeRun(run: string): string {
  return run
    .split(/(%2f)/i)
    .map((part) => {
      if (/^%2f$/i.test(part)) return part;
      try {
        return decodeURIComponent(part);
      } catch {
        // Not UTF-8: stays as it was sent.
        return part;
      }
    })
    .join('');
}

function resolveDots(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    if (last && (segment === '.' || segment === '..')) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** Repeated keys, whatever their case, join with commas under the first name. `query` without its `?`. */
export function joinQuery(query: string): Record<string, string> {
  const joined: Record<string, string> = {};
  const names = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const folded = name.toLowerCase();
    const first = names.get(folded);
    if (first === undefined) {
      names.set(folded, name);
      joined[name] = value;
    } else {
      joined[first] += `,${value}`;
    }
  }
  return joined;
}

/** Lower-case names; repeated headers join with a comma and no blank, `Authorization` too. */
export function joinHeaders(raw: readonly string[]): Record<string, string> {
  const joined: Record<string, string> = {};
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? '';
    const value = raw[i + 1] ?? '';
    const before = joined[name];
    joined[name] = before === undefined ? value : `${before},${value}`;
  }
  return joined;
}
