/** `advise`: what could be taken away without anybody missing it, and what nobody knows. */

import { loadPolicy, PolicyError } from '../../policy/load.ts';
import type { Account } from '../../rotation/shown.ts';
import { adviceFrom, type Granted } from '../advice.ts';
import { operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import type { AuditItem } from '../outstanding.ts';
import { adviceText } from '../render/advice.ts';
import { styleFor } from '../render/style.ts';
import { openSession } from '../session.ts';
import { readText } from './what-if.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export async function run({ world, options }: Call): Promise<undefined> {
  const days = Number(textOption(options, 'days') ?? 30);
  if (!Number.isInteger(days) || days < 1 || days > 400)
    throw new CommandFailure('usage', '--days is a whole number from 1 to 400.');
  const file = textOption(options, 'policy');
  const session = await openSession(world, options);
  const api = operatorApi(world, session);
  const accounts = await api.all<Account>('accounts');
  const now = session.nowMs();
  const from = new Date(now - days * DAY_MS).toISOString();
  const to = new Date(now + HOUR_MS).toISOString();
  // Page by page, and only what is counted stays: a month of a large broker is more than memory holds.
  const granted: Granted = new Map();
  for (let after: string | undefined; ; ) {
    const page = await api.get<{ items: readonly AuditItem[]; next?: string }>('audit', {
      from,
      to,
      outcome: 'granted',
      limit: 1_000,
      after,
    });
    for (const item of page.items) count(granted, item);
    after = page.next;
    if (after === undefined) break;
  }
  const policy = file === undefined ? undefined : load(file);
  const advice = { days, ...adviceFrom(accounts, granted, policy) };
  world.stdout.write(
    options.json
      ? `${JSON.stringify(advice)}\n`
      : adviceText(advice, { style: styleFor(world, world.stdout), width: world.stdout.columns }),
  );
}

function count(
  granted: Granted,
  {
    tenantId = '',
    clientId = '',
    objectId = '',
    resource = '',
    tokenKind = '',
    grant = '',
    claims,
  }: AuditItem,
): void {
  const key = JSON.stringify([tenantId, clientId, objectId, resource, tokenKind, grant]);
  const before = granted.get(key);
  const latest = claims ?? before?.claims;
  granted.set(key, {
    caller: { tenantId, clientId, objectId },
    resource,
    tokenKind,
    grant,
    count: (before?.count ?? 0) + 1,
    ...(latest && { claims: latest }),
  });
}

function load(file: string) {
  try {
    return loadPolicy(readText(file));
  } catch (error) {
    if (error instanceof PolicyError) throw new CommandFailure('failed', error.message);
    throw error;
  }
}
