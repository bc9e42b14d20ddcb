/** `advise`: what could be taken away without anybody missing it, and what nobody knows. */

import type { Policy } from '../../policy/schema.ts';
import type { Account } from '../../rotation/shown.ts';
import { adviceFrom, type Granted } from '../advice.ts';
import { type Api, operatorApi } from '../api.ts';
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import type { AuditItem } from '../outstanding.ts';
import { load, policyInForce } from '../policy-in-force.ts';
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
  const policy = await policyOf(api, file);
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

/** The policy in force; a file is for a broker that does not tell it. */
async function policyOf(api: Api, file: string | undefined): Promise<Policy | undefined> {
  const read = file === undefined ? await policyInForce(api) : load(readText(file));
  if (read === undefined || !('problems' in read)) return read;
  throw new CommandFailure('failed', read.problems.join('\n'), 'policy check tells the same, and no more.');
}
