/** A day at the terminal, in a local mode of its own: what the operator's command shows, as pictures. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callerToken, exchange, startLocal } from '../local/local-mode.ts';
import { COLUMNS, record } from './recording.ts';
import { type Frame, THEMES, terminalSvg } from './terminal-svg.ts';

const launcher = join(import.meta.dirname, '../../src/cli/launcher.cjs');
const PROGRAM = 'azure-ai-token-broker';
/** Fast enough that the pictures take a minute, and slow enough that each phase of a rotation is seen. */
const SPEED = 60;
const MAX_MS = 12_000;

/** @param folder where the pictures go: NAME-light.svg and NAME-dark.svg */
export async function recordTerminal(folder: string): Promise<void> {
  const own = mkdtempSync(join(tmpdir(), 'pictures-'));
  try {
    await using local = await startLocal(['--speed', String(SPEED)], { TMPDIR: own });
    const { description } = local;
    const { broker, control } = description;
    const env = { TMPDIR: own, AZURE_AI_TOKEN_BROKER: broker };
    const speed = (to: number) =>
      fetch(`${control}/clock`, { method: 'POST', body: JSON.stringify({ speed: to }) });
    const take = async (
      name: string,
      args: string,
      then: Parameters<typeof record>[3] = {},
    ): Promise<void> => {
      const run = `${process.execPath} ${launcher} ${args}`;
      const frames = await record(`${PROGRAM} ${args}`, run, env, then);
      save(folder, name, `${PROGRAM} ${args}`, frames);
    };
    const ask = async (who: string, resource: string) =>
      exchange(broker, await callerToken(description, who), resource);
    for (const [who, resource] of [
      ['captions', 'speech'],
      ['translations', 'translator'],
      ['ada', 'chat'],
    ] as const)
      await ask(who, resource);
    const refused = await ask('captions', 'chat');
    await take('rotate', 'rotate speech --reason "a new region"');
    await take('status', 'status');
    await take('explain', `explain ${refused.body['correlation_id']}`);
    await take('advise', 'advise');
    await speed(1);
    await ask('ada', 'speech');
    await ask('ada', 'chat');
    await take('revoke', 'revoke --user ada@example.test --block --reason "a lost laptop"', {
      'Revoke the ': 'y\n',
      'is revoked': () => speed(SPEED * 5),
    });
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function save(folder: string, name: string, title: string, frames: readonly Frame[]): void {
  // A rotation that takes minutes is shown in seconds.
  const faster = Math.min(1, MAX_MS / (frames.at(-1)?.atMs || 1));
  const played = frames.map(({ atMs, lines }) => ({ atMs: atMs * faster, lines }));
  for (const [theme, colours] of Object.entries(THEMES))
    writeFileSync(join(folder, `${name}-${theme}.svg`), terminalSvg(played, COLUMNS, title, colours));
}
