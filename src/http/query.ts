/**
 * A parameter that is misspelled would be left out in silence, and the answer taken for what was asked. The URL is
 * read, because in `query` the Functions host has made one of a parameter that was sent twice.
 */
export function wrongQuery(url: string, known: readonly string[]): string | undefined {
  const names = [...new URL(url).searchParams.keys()];
  if (!names.every((name) => known.includes(name)))
    return known.length === 0
      ? 'this route has no query parameters'
      : `unknown query parameter: the known ones are ${known.join(', ')}`;
  return new Set(names).size < names.length ? 'a query parameter is sent more than once' : undefined;
}
