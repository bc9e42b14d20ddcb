/** The form of a GUID. Entra writes it in lower case, and so it is kept and compared. */
import * as z from 'zod';

export const GUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** A GUID in any case, which others may send or a person may write. */
export const guid = z.string().toLowerCase().regex(GUID, 'must be a GUID');

/** @returns it in lower case; undefined where it is none */
export function asGuid(text: string): string | undefined {
  const lower = text.toLowerCase();
  return GUID.test(lower) ? lower : undefined;
}
