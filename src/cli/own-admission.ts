/** Whether the broker accepts a caller at all, asked at the one route that every caller may use and that does nothing. */
import { CommandFailure } from './failure.ts';
import type { World } from './world.ts';

export type Admission = { readonly accepted: true } | { readonly accepted: false; readonly why: string };

export async function introspectOwn(
  { fetch }: Pick<World, 'fetch'>,
  broker: string,
  token: string,
): Promise<Admission> {
  let answer: Response;
  let body: { error_description?: unknown };
  try {
    answer = await fetch(`${broker}/oauth2/introspect`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
      // Any text that is no token will do: it is about who asks.
      body: 'token=none',
      signal: AbortSignal.timeout(15_000),
    });
    body = { ...((await answer.json()) as object) };
  } catch {
    throw new CommandFailure(
      'unreachable',
      `The broker at ${broker} was not reached.`,
      `curl ${broker}/health`,
    );
  }
  if (answer.status === 200) return { accepted: true };
  if (answer.status === 401 || answer.status === 403)
    return {
      accepted: false,
      why: typeof body.error_description === 'string' ? body.error_description : 'it does not say why',
    };
  throw new CommandFailure('unreachable', `The broker answers ${answer.status}.`, `curl ${broker}/health`);
}
