/** A policy that somebody pastes, read before it is sent. Pure. */

export type ReadDraft = { readonly policy: object } | { readonly fault: string };

/** The broker says all that is wrong with a policy; this only says what is no JSON object at all. */
export function readDraft(text: string): ReadDraft {
  if (text.trim() === '') return { fault: 'Paste a whole policy first.' };
  try {
    const policy: unknown = JSON.parse(text);
    if (typeof policy === 'object' && policy !== null && !Array.isArray(policy)) return { policy };
    return { fault: 'A policy is a JSON object: it begins with {.' };
  } catch (error) {
    return { fault: `This is no JSON: ${(error as Error).message}` };
  }
}
