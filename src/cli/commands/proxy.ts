/** `proxy RESOURCE`: an address of this machine that stands for an account, for programs that know only URL and key. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { asFailure, supply } from '../held-token.ts';
import { forwarder } from '../loopback/forward.ts';
import { listen } from '../loopback/listen.ts';
import { openSession } from '../session.ts';
import { kindOf } from '../token-kinds.ts';

export async function run({ world, args: [resource = ''], options }: Call): Promise<undefined> {
  const port = readPort(textOption(options, 'port'));
  const session = await openSession(world, options);
  const tokens = supply(world, session, resource, kindOf(options));
  const { endpoint } = await tokens.get().catch((error: unknown) => {
    throw asFailure(error, resource);
  });
  const key = `aitb-${randomBytes(32).toString('base64url')}`;
  const ca = session.local === undefined ? undefined : readFileSync(session.local.mode.ca);
  const forward = forwarder({ supply: tokens, key, ...(ca && { ca }) });
  const listener = await listen(port, forward);
  try {
    const url = `http://127.0.0.1:${listener.port}`;
    world.stdout.write(
      options.json ? `${JSON.stringify({ url, key, resource, endpoint })}\n` : `${url} ${key}\n`,
    );
    if (world.stderr.isTerminal)
      world.stderr.write(`Forwards to ${endpoint} until Ctrl-C. OpenAI's clients: ${url}/openai/v1\n`);
    await untilAborted(world.signal);
  } finally {
    await listener[Symbol.asyncDispose]();
    forward.close();
  }
}

function readPort(text: string | undefined): number {
  const port = Number(text ?? 0);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new CommandFailure('usage', '--port is a whole number from 0 to 65535.');
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
