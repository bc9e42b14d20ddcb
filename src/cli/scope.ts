/** What `revoke` and `lift` are about, from their options. */
import { text as readAll } from 'node:stream/consumers';
import { type Call, textOption } from './command.ts';
import { CommandFailure } from './failure.ts';
import { readOwnToken } from './own-token.ts';
import type { Session } from './session.ts';

export type ScopeBody =
  | { readonly kind: 'user'; readonly tenantId: string; readonly objectId: string }
  | { readonly kind: 'client'; readonly tenantId: string; readonly clientId: string }
  | { readonly kind: 'token'; readonly tenantId: string; readonly uti: string }
  | { readonly kind: 'tenant'; readonly tenantId: string }
  | { readonly kind: 'resource' | 'grant'; readonly name: string };

export interface NamedScope {
  readonly scope: ScopeBody;
  /** As the person named it. */
  readonly words: string;
}

const KINDS = ['user', 'client', 'token', 'tenant', 'resource', 'grant'] as const;
const WITH_TENANT = ['user', 'client', 'token'];
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function readScope({ world, options }: Call, session: Session): Promise<NamedScope> {
  const given = KINDS.filter((kind) => textOption(options, kind) !== undefined);
  const [kind] = given;
  const isQualified = given.length === 2 && given[1] === 'tenant' && WITH_TENANT.includes(kind ?? '');
  if (kind === undefined || (given.length > 1 && !isQualified))
    throw new CommandFailure(
      'usage',
      kind === undefined ? 'It is not said what is meant.' : `--${given.join(' and --')} do not go together.`,
      `One of ${KINDS.map((each) => `--${each}`).join(', ')}; the first three may have --tenant beside them.`,
    );
  const value = textOption(options, kind) ?? '';
  if (kind === 'resource' || kind === 'grant')
    return { scope: { kind, name: value }, words: `the ${kind} ${value}` };
  const local = session.local?.mode.callers.find(({ name }) => name === value);
  const tenantId =
    textOption(options, 'tenant') ??
    local?.tenantId ??
    session.local?.mode.entra.tenantId ??
    (await ownTenant(session));
  switch (kind) {
    case 'tenant':
      return { scope: { kind, tenantId }, words: `the tenant ${tenantId}` };
    case 'user':
      return { scope: { kind, tenantId, objectId: local?.objectId ?? value }, words: `the user ${value}` };
    case 'client': {
      const clientId = local?.clientId ?? value;
      if (!GUID.test(clientId))
        throw new CommandFailure(
          'usage',
          `${value} is no client id.`,
          `az ad app list --display-name ${JSON.stringify(value)} --query "[].appId" tells it.`,
        );
      return { scope: { kind, tenantId, clientId }, words: `the client ${value}` };
    }
    case 'token': {
      // On a command line every process of the machine can read it.
      const token = value === '-' ? (await readAll(world.stdin)).trim() : value;
      if (value !== '-' && token.startsWith('eyJ'))
        throw new CommandFailure(
          'usage',
          'A token on a command line can be read by others.',
          'Send it on stdin: --token -',
        );
      const of = token.startsWith('eyJ') ? utiOf(token) : { uti: token, tenantId };
      return { scope: { kind, ...of }, words: `the token ${of.uti}` };
    }
  }
}

const ownTenant = async (session: Session): Promise<string> =>
  readOwnToken(await session.token('operator'))?.tenantId ?? '';

function utiOf(token: string): { readonly uti: string; readonly tenantId: string } {
  try {
    const { uti, tid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    if (typeof uti === 'string' && typeof tid === 'string') return { uti, tenantId: tid };
  } catch {
    // Told below.
  }
  throw new CommandFailure('usage', 'What came on stdin is no token of Entra: it has no uti.');
}
