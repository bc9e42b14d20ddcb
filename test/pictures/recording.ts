/** A command in a terminal of 80 columns, and what stands on the screen at each moment. Needs `script` of util-linux. */
import { spawn } from 'node:child_process';
import xterm, { type Terminal } from '@xterm/headless';
import type { Frame, Run } from './terminal-svg.ts';

export const COLUMNS = 80;
const ROWS = 40;
const LOOK_EVERY_MS = 200;

/**
 * @param shown what a person types
 * @param command what is run for it, in a shell
 * @param then what happens when the screen first shows a text: what is typed, or something that is done
 */
export async function record(
  shown: string,
  command: string,
  env: Readonly<Record<string, string>>,
  then: Readonly<Record<string, string | (() => Promise<unknown>)>> = {},
): Promise<readonly Frame[]> {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  const put = (text: string | Uint8Array): Promise<void> => new Promise((done) => terminal.write(text, done));
  await put(`\u001b[2m$\u001b[22m \u001b[1m${shown}\u001b[22m\r\n`);
  const inTerminal = `stty cols ${COLUMNS} rows ${ROWS} -echo; ${command}`;
  const child = spawn('script', ['-qefc', inTerminal, '/dev/null'], {
    env: { ...process.env, ...env, TERM: 'xterm-256color', NO_COLOR: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const frames: Frame[] = [{ atMs: 0, lines: screen(terminal) }];
  const startedAt = performance.now();
  const look = (): void => {
    const lines = screen(terminal);
    if (JSON.stringify(lines) !== JSON.stringify(frames.at(-1)?.lines))
      frames.push({ atMs: Math.round(performance.now() - startedAt), lines });
  };
  const left = new Map(Object.entries(then));
  child.stdout.on('data', async (part: Buffer) => {
    await put(part);
    const text = textOf(terminal);
    for (const [question, answer] of left) {
      if (!text.includes(question)) continue;
      left.delete(question);
      look();
      if (typeof answer === 'function') {
        await answer();
        continue;
      }
      // As long as a person takes to read it.
      setTimeout(async () => {
        await put(answer.replace('\n', '\r\n'));
        look();
        child.stdin.write(answer);
      }, 2_000);
    }
  });
  const timer = setInterval(look, LOOK_EVERY_MS);
  const code = await new Promise<number | null>((done) => child.on('close', done));
  clearInterval(timer);
  await put('');
  look();
  if (left.size > 0) throw new Error(`${shown} never asked: ${[...left.keys()].join(', ')}`);
  if (code !== 0) throw new Error(`${shown} ended with ${code}:\n${textOf(terminal)}`);
  return frames;
}

const textOf = (terminal: Terminal): string =>
  screen(terminal)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');

function screen(terminal: Terminal): readonly (readonly Run[])[] {
  const { buffer } = terminal;
  const lines: Run[][] = [];
  for (let row = 0; row < buffer.active.length; row += 1) {
    const line = buffer.active.getLine(row);
    const runs: Run[] = [];
    for (let column = 0; column < COLUMNS; column += 1) {
      const cell = line?.getCell(column);
      if (cell === undefined) continue;
      const text = cell.getChars() || ' ';
      const look = {
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
        ...(cell.isFgPalette() && { colour: cell.getFgColor() }),
      };
      const last = runs.at(-1);
      if (last && last.isBold === look.isBold && last.isDim === look.isDim && last.colour === look.colour)
        runs[runs.length - 1] = { ...last, text: last.text + text };
      else runs.push({ text, ...look });
    }
    lines.push(runs.filter(({ text }, at) => at < runs.length - 1 || text.trim() !== ''));
  }
  const lastUsed = lines.findLastIndex((runs) => runs.length > 0);
  return lines.slice(0, lastUsed + 1);
}
