/** Where a text stops being JSON, or says a member twice, in words. JSON.parse says neither on every Node. */

export interface JsonFault {
  /** The index of the character at which the fault is seen. */
  readonly at: number;
  readonly what: string;
}

/** No policy is nested deeper. */
const MAX_DEPTH = 64;
const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\r\n]|\\.)*"/y;
const NUMBER_OR_WORD = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;

/** @returns undefined for JSON in which every object has each member once, in whatever case */
export function jsonFault(text: string): JsonFault | undefined {
  let at = 0;
  const take = (shape: RegExp): string | undefined => {
    shape.lastIndex = at;
    const taken = shape.exec(text)?.[0];
    at += taken?.length ?? 0;
    return taken;
  };
  const here = (wanted: string): JsonFault => ({ at, what: seen(text.slice(at, at + 2)) ?? wanted });
  const quotedText = (): string | undefined => {
    const from = at;
    const taken = take(STRING);
    if (taken !== undefined && isJson(taken)) return taken;
    at = from;
    return undefined;
  };

  function value(depth: number): JsonFault | undefined {
    take(BLANK);
    if (text[at] === '{') return entries(depth, '}', members());
    if (text[at] === '[') return entries(depth, ']', value);
    if (quotedText() !== undefined || take(NUMBER_OR_WORD)) return undefined;
    return here(
      text[at] === '"'
        ? 'this text has no closing quote on its line, or a \\ that JSON does not know'
        : 'a value is wanted here: a text in double quotes, a number, true, false, null, { or [',
    );
  }

  /** The entries of a list or the members of an object, from the opening bracket to the closing one. */
  function entries(
    depth: number,
    close: string,
    entry: (depth: number) => JsonFault | undefined,
  ): JsonFault | undefined {
    if (depth > MAX_DEPTH) return { at, what: 'nested too deeply' };
    at += 1;
    take(BLANK);
    if (text[at] === close) {
      at += 1;
      return undefined;
    }
    for (;;) {
      take(BLANK);
      if (text[at] === close)
        return { at, what: `after a comma another entry is wanted, not ${close}; take the comma away` };
      const fault = entry(depth + 1);
      if (fault) return fault;
      take(BLANK);
      const end = text[at];
      if (end !== close && end !== ',') return here(`a comma or ${close} is wanted here`);
      at += 1;
      if (end === close) return undefined;
    }
  }

  function members(): (depth: number) => JsonFault | undefined {
    const names = new Set<string>();
    return (depth) => {
      const from = at;
      const name = quotedText();
      if (name === undefined) return here("a member's name in double quotes is wanted here");
      const known = String(JSON.parse(name)).toLowerCase();
      if (names.has(known)) return { at: from, what: `${name} is a member of this object twice` };
      names.add(known);
      take(BLANK);
      if (text[at] !== ':') return here(`a colon is wanted after ${name}`);
      at += 1;
      return value(depth);
    };
  }

  if (text.startsWith('\uFEFF'))
    return { at, what: 'the file begins with a byte order mark; save it as UTF-8 without one' };
  if (text.trim() === '') return { at, what: 'the file is empty' };
  const fault = value(0);
  if (fault) return fault;
  take(BLANK);
  return at < text.length ? here('the file should end here') : undefined;
}

function seen(next: string): string | undefined {
  if (next === '') return 'the file ends here, in the middle of an object or a list';
  if (next.startsWith('//') || next.startsWith('/*') || next.startsWith('#'))
    return 'JSON has no comments; take it away';
  if ("'‘’“”".includes(next.charAt(0))) return 'JSON takes double quotes only: "';
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** `line 3, column 7: what; near …text before --> text after…`, in one line. */
export function faultText(text: string, { at, what }: JsonFault): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const flat = (part: string): string => part.replace(/\s+/g, ' ');
  return `line ${line}, column ${column}: ${what}; near ${flat(before.slice(-NEAR)).trimStart()} --> ${flat(text.slice(at, at + NEAR)).trimEnd()}`;
}
/** Characters on each side. */
const NEAR = 30;
