/** A recording of a terminal as one SVG: the frames one after the other, by CSS alone. */

/** So much of a line in one look. */
export interface Run {
  readonly text: string;
  readonly isBold: boolean;
  readonly isDim: boolean;
  /** Of the terminal's sixteen, by its number. */
  readonly colour?: number;
}
export interface Frame {
  readonly atMs: number;
  readonly lines: readonly (readonly Run[])[];
}
export interface Theme {
  readonly ground: string;
  readonly text: string;
  readonly quiet: string;
  /** Red, green and yellow, by their numbers. */
  readonly colours: Readonly<Record<number, string>>;
}

export const THEMES: Readonly<Record<'light' | 'dark', Theme>> = {
  light: {
    ground: '#ffffff',
    text: '#1f2328',
    quiet: '#59636e',
    colours: { 1: '#b3261e', 2: '#116329', 3: '#7d4e00' },
  },
  dark: {
    ground: '#0d1117',
    text: '#e6edf3',
    quiet: '#9198a1',
    colours: { 1: '#ff7b72', 2: '#7ee787', 3: '#e3b341' },
  },
};

const CHARACTER = 8.43;
const LINE = 20;
const EDGE = 14;
/** How long the last frame stays before it begins again. */
const LAST_MS = 4_000;

export function terminalSvg(frames: readonly Frame[], columns: number, title: string, theme: Theme): string {
  const rows = Math.max(...frames.map(({ lines }) => lines.length));
  const [width, height] = [Math.ceil(columns * CHARACTER) + 2 * EDGE, rows * LINE + 2 * EDGE];
  const endMs = (frames.at(-1)?.atMs ?? 0) + LAST_MS;
  const percent = (ms: number): string => `${((100 * ms) / endMs).toFixed(2)}%`;
  const isMoving = frames.length > 1;
  const steps = frames.map(({ atMs }, at) => {
    const until = frames[at + 1]?.atMs;
    const shown = `${at === 0 ? '0%' : percent(atMs)}{opacity:1}`;
    const before = at === 0 ? '' : '0%{opacity:0}';
    return `@keyframes f${at}{${before}${shown}${until === undefined ? '' : `${percent(until)}{opacity:0}`}}
#f${at}{animation:f${at} ${endMs}ms step-end infinite}`;
  });
  const last = frames.length - 1;
  // Who wants no motion sees how it ends, and so does a program that knows no animation.
  const motion = isMoving
    ? `g{opacity:0}#f${last}{opacity:1}
@media (prefers-reduced-motion:no-preference){
${steps.join('\n')}
}`
    : '';
  const drawn = frames.map(({ lines }, at) => `<g id="f${at}">${lines.map(lineOf).join('')}</g>`).join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${theme.text}}
.b{font-weight:700}.d{fill:${theme.quiet}}
${Object.entries(theme.colours)
  .map(([number, colour]) => `.c${number}{fill:${colour}}`)
  .join('')}
${motion}
</style>
<rect width="100%" height="100%" rx="8" fill="${theme.ground}"/>
${drawn}
</svg>
`;
}

function lineOf(runs: readonly Run[], row: number): string {
  let column = 0;
  const spans = runs.map(({ text, isBold, isDim, colour }) => {
    const names = [isBold && 'b', isDim && 'd', colour !== undefined && `c${colour}`].filter(Boolean);
    const x = (EDGE + column * CHARACTER).toFixed(1);
    column += text.length;
    if (text.trim() === '') return '';
    // Its width is said, so that a reader's font of another width keeps the columns.
    const length = (text.length * CHARACTER).toFixed(1);
    const look = names.length === 0 ? '' : ` class="${names.join(' ')}"`;
    return `<tspan x="${x}" textLength="${length}"${look}>${escaped(text)}</tspan>`;
  });
  const y = EDGE + row * LINE + 14;
  return spans.join('') === '' ? '' : `<text y="${y}">${spans.join('')}</text>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
