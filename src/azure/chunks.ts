/** A text in as many properties of a row as it needs: a string property holds 32,768 characters, a row a mebibyte. */
const MAX_CHARACTERS = 30_000;

/** `name0`, `name1` and so on. */
export function chunks(name: string, text: string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (let from = 0, index = 0; from < text.length; from += MAX_CHARACTERS, index += 1)
    properties[`${name}${index}`] = text.slice(from, from + MAX_CHARACTERS);
  return properties;
}

export function joined(name: string, row: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (let index = 0; typeof row[`${name}${index}`] === 'string'; index += 1)
    text += String(row[`${name}${index}`]);
  return text;
}
