/** A request's body as JSON, or `undefined` where it is none: the schema it is for then refuses it. */
export function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
