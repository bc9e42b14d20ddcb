/** A change of a JSON document, as RFC 6902 writes it; of its operations those that the broker proposes. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  /** A JSON Pointer (RFC 6901); `-` is the place after the last entry of a list. */
  readonly path: string;
  readonly value: unknown;
}

/** The document with the changes; the given one stays as it is. */
export function patched(document: unknown, operations: readonly PatchOperation[]): unknown {
  const copy: unknown = structuredClone(document);
  for (const { op, path, value } of operations) {
    const names = path
      .slice(1)
      .split('/')
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    const holder = names.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], copy);
    if (!Array.isArray(holder)) (holder as Record<string, unknown>)[last] = value;
    else if (op === 'replace') holder[Number(last)] = value;
    else holder.splice(last === '-' ? holder.length : Number(last), 0, value);
  }
  return copy;
}
