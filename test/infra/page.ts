/** The code blocks of a page in Markdown, each with the headings above it. */

export interface Block {
  readonly language: string;
  readonly text: string;
  /** The texts of the headings above it, the page's own title first. */
  readonly headings: readonly string[];
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let headings: string[] = [];
  let open: { readonly language: string; readonly indent: number; readonly lines: string[] } | undefined;
  for (const line of page.split('\n')) {
    const fence = /^(\s*(?:\d+\. )?)```(\w*)/.exec(line);
    const heading = /^(#+) (.*)/.exec(line);
    if (fence && open) {
      blocks.push({ language: open.language, text: `${open.lines.join('\n')}\n`, headings });
      open = undefined;
    } else if (fence) open = { language: fence[2] ?? '', indent: fence[1]?.length ?? 0, lines: [] };
    else if (open) open.lines.push(line.slice(open.indent));
    else if (heading) headings = [...headings.slice(0, (heading[1]?.length ?? 1) - 1), heading[2] ?? ''];
  }
  return blocks;
}

/** Why no test runs the block: its first line says it. */
export const notTried = ({ text }: Block): string | undefined => /^# Not tried: (.+)/.exec(text)?.[1];
