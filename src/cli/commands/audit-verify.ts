/** `audit verify`: whether the audit is as it was closed, from what the broker answers or straight from its storage. */
import { createExportReader, gather } from '../../record/export.ts';
import { minuteOf } from '../../record/minute.ts';
import { type Evidence, type Verdict, verify } from '../../record/verify.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { styleFor } from '../render/style.ts';
import { type ShownVerdict, verdictText } from '../render/verdict.ts';
import { openSession, type Session } from '../session.ts';
import { openStorage } from '../storage.ts';
import { readInstant } from '../when.ts';
import type { World } from '../world.ts';

export async function run({ world, options }: Call): Promise<number> {
  const session = await openSession(world, options);
  const now = session.nowMs();
  const from = readInstant(textOption(options, 'from') ?? '1d', now, 'from');
  const to = readInstant(textOption(options, 'to') ?? 'now', now, 'to');
  if (from > to) throw new CommandFailure('usage', '--from is after --to.');
  const known = textOption(options, 'known');
  if (known !== undefined && !/^[0-9a-f]{64}$/.test(known))
    throw new CommandFailure(
      'usage',
      '--known is a hash of 64 hexadecimal digits, as this command prints it.',
    );
  const isStorage = options['storage'] !== undefined;
  const evidence = isStorage
    ? await fromStorage(session, textOption(options, 'storage'), from, to)
    : await fromBroker(world, session, from, to);
  const verdict = verify(evidence, known);
  const shown = shownAs(verdict, evidence, isStorage ? 'storage' : 'broker');
  world.stdout.write(
    options.json
      ? `${JSON.stringify(shown)}\n`
      : verdictText(shown, { style: styleFor(world, world.stdout), width: world.stdout.columns }),
  );
  return shown.findings.length === 0 ? EXIT.done : EXIT.failed;
}

function shownAs(
  verdict: Verdict,
  { first, last, cursor }: Evidence,
  source: ShownVerdict['source'],
): ShownVerdict {
  const { closedThrough, removedBefore, ...rest } = verdict;
  const isBegun = cursor !== undefined && cursor.sequence > 0;
  return {
    from: first,
    to: last,
    source,
    ...rest,
    ...(isBegun && { closedThrough, hash: cursor.hash }),
    ...(removedBefore !== '' && { removedBefore }),
  };
}

async function fromBroker(world: World, session: Session, from: string, to: string): Promise<Evidence> {
  const reader = createExportReader();
  for await (const line of operatorApi(world, session).lines('audit/export', { from, to }))
    if (reader.take(line) === 'unreadable')
      throw new CommandFailure('failed', 'The export of the broker has a line that is none of an export.');
  return reader.evidence();
}

async function fromStorage(
  session: Session,
  account: string | undefined,
  from: string,
  to: string,
): Promise<Evidence> {
  const readers = await openStorage(session, account);
  const last = minuteOf(Math.max(Date.parse(from), Date.parse(to) - 1));
  try {
    return await gather(readers, minuteOf(Date.parse(from)), last);
  } catch (error) {
    throw asFailure(error);
  }
}

function asFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'UpstreamFailure' || !('status' in error)) return error;
  if (error.status !== 401 && error.status !== 403)
    return new CommandFailure('unreachable', `The storage account was not reached: ${error.message}`);
  return new CommandFailure(
    'notAllowed',
    'The storage account refuses you.',
    'It needs Storage Table Data Reader on the tables audit and usage, and Storage Blob Data Reader on the container proof.',
  );
}
