/** Text from elsewhere on a terminal: nothing in it may move the cursor or turn the direction of writing. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

export const clean = (text: string): string => text.replaceAll(CONTROLS, ' ');

/** The first characters, with a sign that there were more. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** In lines of at most so many characters, broken at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of clean(text).split(/ +/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** After a beginning of so many characters, with the lines that follow under the first. */
export function hanging(text: string, beginsAt: number, width: number | undefined): string {
  const lines = width === undefined ? [clean(text)] : wrap(text, Math.max(20, width - beginsAt));
  return lines.join(`\n${' '.repeat(beginsAt)}`);
}
