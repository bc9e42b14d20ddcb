/**
 * `doctor`: from this terminal to the accounts, step by step, and what to do about the first thing that is wrong. Where
 * a deployment is named, also what is wrong with that. It only reads.
 */
import { MAX_CLOCK_OFF_SECONDS } from '../../clocks.ts';
import type { Account } from '../../rotation/shown.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import type { Check } from '../deployment/check.ts';
import { placeOf } from '../deployment/cloud.ts';
import { CommandFailure, EXIT, type ExitCode } from '../failure.ts';
import { introspectOwn } from '../own-admission.ts';
import { readOwnToken } from '../own-token.ts';
import { styleFor } from '../render/style.ts';
import { clean } from '../render/text.ts';
import { openSession, type Session } from '../session.ts';

const MAX_CLOCK_DIFFERENCE_MS = MAX_CLOCK_OFF_SECONDS * 1_000;

export async function run({ world, options }: Call): Promise<number> {
  const checks: Check[] = [];
  const place = placeOf(world.env, options);
  let worst: ExitCode = EXIT.done;
  /** @returns what the check found; undefined where it failed, and the rest would only say the same */
  async function step<Found>(
    check: string,
    look: () => Promise<readonly [Found, string]>,
  ): Promise<Found | undefined> {
    try {
      const [found, says] = await look();
      checks.push({ check, fine: true, says });
      return found;
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      worst = error.exitCode;
      const todo = error.nextStep === undefined ? {} : { todo: error.nextStep };
      checks.push({ check, fine: false, says: error.message, ...todo });
      return undefined;
    }
  }
  const session = await step('broker', async () => {
    const opened = await openSession(world, options);
    return [opened, opened.broker] as const;
  });
  if (session !== undefined) await lookAround(session);
  if (place !== undefined) {
    const { examine } = await import('../deployment/examine.ts');
    const found = await examine(world, {
      place,
      api: session && operatorApi(world, session),
      noApi: 'the broker is not named (--broker, --scope)',
      policyFile: textOption(options, 'policy'),
      nowMs: session?.nowMs() ?? world.nowMs(),
    });
    checks.push(...found);
    if (worst === EXIT.done && found.some(({ fine }) => !fine)) worst = EXIT.failed;
  }
  const { good, bad, dim } = styleFor(world, world.stdout);
  const width = Math.max(10, ...checks.map(({ check }) => check.length));
  const text = checks.map(({ check, fine, says, todo, skipped }) => {
    const next = todo === undefined ? '' : `\n${' '.repeat(width + 5)}${clean(todo)}`;
    const mark = skipped ? dim('-- ') : fine ? good('ok ') : bad('NO ');
    return `${mark} ${dim(check.padEnd(width))} ${clean(says)}${next}\n`;
  });
  world.stdout.write(options.json ? `${JSON.stringify({ checks })}\n` : text.join(''));
  return worst;

  async function lookAround(opened: Session): Promise<void> {
    const isUp = await step('health', () => health(world, opened));
    if (isUp === undefined) return;
    const token = await step('sign-in', async () => {
      const own = await opened.token(opened.local === undefined || options.as ? 'caller' : 'auditor');
      const claims = readOwnToken(own);
      if (claims === undefined) throw new CommandFailure('notAllowed', 'Your own token is none of Entra.');
      return [own, `${claims.name ?? claims.objectId}, roles: ${claims.roles.join(', ') || 'none'}`] as const;
    });
    if (token === undefined) return;
    const accepted = await step('accepted', async () => {
      const admission = await introspectOwn(world, opened.broker, token);
      if (!admission.accepted) throw new CommandFailure('notAllowed', admission.why);
      return [true, 'the broker takes your token'] as const;
    });
    const roles = readOwnToken(token)?.roles ?? [];
    if (accepted === undefined || !roles.some((role) => /^Broker\.(Auditor|Operator)$/.test(role))) return;
    await step('accounts', async () => {
      const accounts = await operatorApi(world, opened).all<Account>('accounts');
      const wrong = accounts.filter(({ stuck, overdue }) => stuck || overdue);
      const [first] = wrong;
      if (first === undefined) return [accounts, `${accounts.length}, none is stuck or overdue`] as const;
      throw new CommandFailure(
        'failed',
        `${wrong.length} of ${accounts.length} are stuck or overdue: ${wrong.map(({ name }) => name).join(', ')}`,
        first.blocked?.advice ?? `status ${first.name} tells more`,
      );
    });
  }
}

async function health(
  { fetch }: Call['world'],
  { broker, nowMs }: Session,
): Promise<readonly [true, string]> {
  let answer: Response;
  let body: { status?: unknown; service?: unknown };
  try {
    answer = await fetch(`${broker}/health`, { redirect: 'manual', signal: AbortSignal.timeout(15_000) });
    body = { ...((await answer.json()) as object) };
  } catch {
    throw new CommandFailure(
      'unreachable',
      'nothing answers there as a broker does',
      'Is the address right?',
    );
  }
  if (answer.status !== 200)
    throw new CommandFailure(
      'unreachable',
      `it is ${String(body.status)}: ${String(body.service)} does not answer`,
    );
  const apartMs = Math.abs(Date.parse(answer.headers.get('date') ?? '') - nowMs());
  if (apartMs > MAX_CLOCK_DIFFERENCE_MS)
    throw new CommandFailure(
      'failed',
      `its clock and the one of this machine are ${Math.round(apartMs / 1000)} s apart`,
      'Set the clock of this machine: tokens are refused by their time.',
    );
  return [true, 'it is up'];
}
