/** `npm run revoke`: revoke somebody in the local mode and watch the next exchange refused. */
import { readCommandLine, wrongUsage } from '../../command-line.ts';
import {
  callerNamed,
  callerToken,
  deliver,
  exchange,
  type LocalDescription,
  openLocal,
  ownEvent,
} from './local-mode.ts';

const SCOPES = ['user', 'client', 'tenant', 'token', 'resource'];
const usage = `npm run revoke -- [options]

  --local FILE     the description of a running local mode, as npm start writes
                   it into its folder (default: the one that runs; where none
                   does, one is started for this command)
  --caller NAME    who exchanges (default captions)
  --resource NAME  for what (default: the first the caller may have)
  --scope KIND     what is revoked: ${SCOPES.join(', ')}
                   (default user)
  --block          until an operator lifts it, instead of up to now`;

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = readCommandLine(usage, {
    options: {
      local: { type: 'string' },
      caller: { type: 'string', default: 'captions' },
      resource: { type: 'string' },
      scope: { type: 'string', default: 'user' },
      block: { type: 'boolean', default: false },
    },
  });
  if (!SCOPES.includes(values.scope)) wrongUsage(usage, `--scope must be one of ${SCOPES.join(', ')}`);
  await using local = await openLocal(values.local);
  await show(local.description, values);
}

interface Wanted {
  readonly caller: string;
  readonly resource?: string;
  readonly scope: string;
  readonly block: boolean;
}

async function show(description: LocalDescription, wanted: Wanted): Promise<void> {
  const { broker } = description;
  const resource = wanted.resource ?? callerNamed(description, wanted.caller).may[0]?.resource;
  if (resource === undefined)
    throw new Error(`${wanted.caller} may have no resource: name one with --resource`);
  const token = await callerToken(description, wanted.caller);
  const attempt = async (who: string) => {
    const { status, body } = await exchange(broker, token, resource);
    if (status === 200) console.log(`${who} for ${resource}: 200, granted for ${body['expires_in']} s`);
    else console.log(`${who} for ${resource}: ${status} ${body['error']}\n  ${body['error_description']}`);
    return {
      claims: typeof body['claims'] === 'string' ? body['claims'] : undefined,
      expiresInSeconds: typeof body['expires_in'] === 'number' ? body['expires_in'] : 0,
    };
  };
  const { expiresInSeconds } = await attempt(`${wanted.caller} asks`);

  const scope = scopeOf(description, wanted, token, resource);
  const startedAtMs = performance.now();
  const data = { scope, block: wanted.block, reason: 'npm run revoke' };
  const status = await deliver(broker, [ownEvent('RevocationRequested', data)]);
  if (status !== 202) throw new Error(`the broker answered ${status}`);
  const tookMs = Math.round(performance.now() - startedAtMs);
  console.log(`revoked, in force on every instance after ${tookMs} ms:`);
  for (const [name, value] of Object.entries(scope)) console.log(`  ${name.padEnd(10)}${value}`);
  const { claims } = await attempt(`${wanted.caller} asks again with the same token`);
  if (expiresInSeconds > 0)
    console.log(`the token got before works at Azure for ${expiresInSeconds} s at most: nobody can end it`);
  for (const line of await recorded(description)) console.log(line);
  console.log(
    claims === undefined
      ? 'no token is accepted until an operator lifts it'
      : `a new sign-in is accepted if its token is dated ${dateOf(claims)}\nor later; with --block none is`,
  );
}

/** From when on tokens must be dated, as the refusal says. */
function dateOf(claims: string): string {
  const { access_token } = JSON.parse(claims) as { access_token: { nbf: { value: string } } };
  return new Date(Number(access_token.nbf.value) * 1000).toISOString();
}

/** What the broker itself recorded of it. */
async function recorded(description: LocalDescription): Promise<string[]> {
  const answer = await fetch(`${description.broker}/operator/revocations`, {
    headers: { authorization: `Bearer ${await callerToken(description, 'auditor')}` },
  });
  const { items } = (await answer.json()) as { items?: Record<string, unknown>[] };
  if (items === undefined) throw new Error(`the auditor was refused: ${answer.status}`);
  const [latest] = items;
  return [
    'recorded by the broker:',
    `  received  ${latest?.['receivedAt']}`,
    `  in force  ${latest?.['inForceAt']}`,
    `  by the policy no token of it lives beyond ${latest?.['lastTokenUntil']}`,
  ];
}

function scopeOf(description: LocalDescription, wanted: Wanted, token: string, resource: string): object {
  const { tenantId, objectId, clientId } = callerNamed(description, wanted.caller);
  switch (wanted.scope) {
    case 'user':
      return { kind: 'user', tenantId, objectId };
    case 'client':
      return { kind: 'client', tenantId, clientId };
    case 'tenant':
      return { kind: 'tenant', tenantId };
    case 'token': {
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      return { kind: 'token', tenantId, uti: claims.uti };
    }
    default:
      return { kind: 'resource', name: resource };
  }
}
