/**
 * What can be read of a policy that has problems. The rules that a schema cannot express are checked on it, so that a
 * wrong duration in one member does not hide a misspelled name in another.
 */
import * as z from 'zod';

/** A member that cannot be read is there and undefined; one that was not written is absent. */
export type Draft<T> = T extends readonly (infer Entry)[]
  ? readonly (Draft<Entry> | undefined)[]
  : T extends object
    ? { readonly [Name in keyof T]?: Draft<T[Name]> | undefined }
    : T;

export function draftOf<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): Draft<z.output<Schema>> | undefined {
  return readable(schema, json) as Draft<z.output<Schema>> | undefined;
}

function readable(schema: unknown, json: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return json === undefined ? parsed(schema, json) : readable(schema.unwrap(), json);
  if (schema instanceof z.ZodArray && Array.isArray(json))
    return json.map((entry) => readable(schema.element, entry));
  if (schema instanceof z.ZodObject && typeof json === 'object' && json !== null && !Array.isArray(json)) {
    const written = new Map(Object.entries(json));
    return Object.fromEntries(
      Object.entries(schema.shape).flatMap(([name, member]) => {
        const value = readable(member, written.get(name));
        return value === undefined && !written.has(name) ? [] : [[name, value]];
      }),
    );
  }
  return schema instanceof z.ZodType ? parsed(schema, json) : undefined;
}

function parsed(schema: z.ZodType, json: unknown): unknown {
  const read = schema.safeParse(json);
  return read.success ? read.data : undefined;
}

/** What is named in `grants` or another list of the draft, with each entry's place, such as `grants[2] (captions)`. */
export function placed<Entry extends { readonly name?: string | undefined }>(
  list: string,
  entries: readonly (Entry | undefined)[] | undefined,
): readonly { readonly place: string; readonly entry: Entry }[] {
  return (entries ?? []).flatMap((entry, index) =>
    entry === undefined ? [] : [{ place: placeOf(list, index, entry.name), entry }],
  );
}

/** `grants[2] (captions)`, or `grants[2]` for an entry without a name that can be read. */
export function placeOf(list: string, index: number, name: string | undefined): string {
  return name === undefined ? `${list}[${index}]` : `${list}[${index}] (${name})`;
}
