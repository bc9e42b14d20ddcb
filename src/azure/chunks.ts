/** A text in as many properties of a row as it needs: a string property holds 32,768 characters, a row a mebibyte. */
const MAX_CHARACTERS = 30_000;

/** `name0`, `name1` and so on. */
export function chunks(name: string, text: string): Record<string, string> {
  return Object.fromEntries(pieces(text, MAX_CHARACTERS).map((piece, index) => [`${name}${index}`, piece]));
}

/** Cuts a text, and never inside a character of two halves: a half alone cannot be sent. */
export function pieces(text: string, most: number): string[] {
  const found: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = Math.min(text.length, from + most);
    const to = end < text.length && HIGH_SURROGATE.test(text.charAt(end - 1)) ? end - 1 : end;
    found.push(text.slice(from, to));
    from = to;
  }
  return found;
}
const HIGH_SURROGATE = /[\ud800-\udbff]/;

export function joined(name: string, row: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (let index = 0; typeof row[`${name}${index}`] === 'string'; index += 1)
    text += String(row[`${name}${index}`]);
  return text;
}
