/** Which broker a command asks, and as whom. */

import { isBrokerUrl } from '../broker-url.ts';
import type { Shared } from './command.ts';
import { CommandFailure } from './failure.ts';
import {
  callerNamed,
  type LocalMode,
  localModeOf,
  localToken,
  type VirtualClock,
  virtualClock,
} from './local-mode.ts';
import type { World } from './world.ts';

/** What somebody is asked to be for a call: a caller of the exchange, or of the operators' routes. */
export type Part = 'caller' | 'auditor' | 'operator' | 'publisher';

export interface Session {
  /** Without a slash at its end. */
  readonly broker: string;
  /** @param claims a challenge that the broker answered with */
  token(part: Part, claims?: string): Promise<string>;
  /** For the storage account itself, with the own rights of whoever asks. */
  storageToken(): Promise<string>;
  /** Absent for a deployed broker. */
  readonly local?: { readonly mode: LocalMode; readonly file: string; readonly clock: VirtualClock };
  /** Time as the broker counts it. */
  readonly nowMs: () => number;
}

const STORAGE_SCOPE = 'https://storage.azure.com/.default';

type Asked = Pick<Shared, 'broker' | 'scope' | 'as'>;

/** @throws CommandFailure where it cannot be told which broker, or as whom */
export async function openSession(world: World, { broker: named, scope, as }: Asked): Promise<Session> {
  const url = named ?? world.env['AZURE_AI_TOKEN_BROKER'];
  if (url !== undefined && !isBrokerUrl(url))
    throw new CommandFailure(
      'usage',
      'The address of the broker is no https URL (http is for this machine alone).',
      'It looks like https://broker.example.com',
    );
  const found = localModeOf(world, url);
  if (found === undefined && as !== undefined)
    throw new CommandFailure(
      'usage',
      `--as names somebody of the local mode, and the broker at ${url} is none that runs on this machine.`,
      'Without it you are who you signed in as: az login, or AZURE_CLIENT_ID and what belongs to it.',
    );
  if (found === undefined) return deployed(world, (url ?? '').replace(/\/+$/, ''), scope);
  const { local: mode, file } = found;
  if (as !== undefined) callerNamed(mode, as);
  const clock = await virtualClock(mode.control, world.nowMs);
  const own = ownCredential(world, scope ?? mode.entra.scope);
  const isSignedIn = as === undefined && world.env['AZURE_AUTHORITY_HOST'] === mode.entra.authority;
  return {
    broker: mode.broker,
    nowMs: clock.nowMs,
    local: { mode, file, clock },
    storageToken: () => localToken(mode, as ?? 'auditor', STORAGE_SCOPE),
    token: async (part, claims) => {
      if (isSignedIn && part === 'caller') return own(claims);
      return localToken(mode, as ?? standIn(mode, part));
    },
  };
}

/** Where nobody is named the operators' routes are asked as the one of the local mode who may. */
function standIn(mode: LocalMode, part: Part): string {
  if (part !== 'caller') return part;
  const names = mode.callers.filter(({ may }) => may.length > 0).map(({ name }) => name);
  throw new CommandFailure(
    'notAllowed',
    'It is not said as whom the local mode is asked.',
    `Say it with --as: ${names.join(', ')}`,
  );
}

function deployed(world: World, broker: string, scope: string | undefined): Session {
  const wanted = scope ?? world.env['AZURE_AI_TOKEN_BROKER_SCOPE'] ?? world.env['BROKER_SCOPE'];
  if (wanted === undefined)
    throw new CommandFailure(
      'usage',
      `It is not said for which app registration a token for ${broker} is to be got.`,
      "Set AZURE_AI_TOKEN_BROKER_SCOPE, or --scope: api://CLIENT_ID/.default, with the broker's client id.",
    );
  const own = ownCredential(world, wanted);
  const storage = ownCredential(world, STORAGE_SCOPE);
  return {
    broker,
    nowMs: world.nowMs,
    token: (_part, claims) => own(claims),
    storageToken: () => storage(),
  };
}

/** Whoever is signed in on this machine, as every tool of Azure finds it. Loaded when it is first needed. */
export function ownCredential(
  { env }: Pick<World, 'env'>,
  scope: string,
): (claims?: string) => Promise<string> {
  let made:
    | Promise<{ getToken(scope: string, options: object): Promise<{ token: string } | null> }>
    | undefined;
  return async (claims) => {
    made ??= signedIn(env);
    const credential = await made;
    try {
      const token = await credential.getToken(scope, { enableCae: true, ...(claims && { claims }) });
      if (token !== null) return token.token;
    } catch (error) {
      throw new CommandFailure(
        'notAllowed',
        `You are not signed in: ${firstLine(error)}`,
        'az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET (or what workload identity sets).',
      );
    }
    throw new CommandFailure('notAllowed', 'You are not signed in.', 'az login');
  };
}

async function signedIn(env: World['env']) {
  const azure = await import('@azure/identity');
  const isLoopback = /^https?:\/\/(localhost|127\.0\.0\.1)(:|\/|$)/.test(env['AZURE_AUTHORITY_HOST'] ?? '');
  // The Entra of the local mode is no authority that Microsoft lists.
  const options = { disableInstanceDiscovery: isLoopback };
  return new azure.ChainedTokenCredential(
    new azure.EnvironmentCredential(options),
    ...(env['AZURE_FEDERATED_TOKEN_FILE'] ? [new azure.WorkloadIdentityCredential(options)] : []),
    ...(env['IDENTITY_ENDPOINT']
      ? [
          new azure.ManagedIdentityCredential({
            ...(env['AZURE_CLIENT_ID'] && { clientId: env['AZURE_CLIENT_ID'] }),
          }),
        ]
      : []),
    new azure.AzureCliCredential(),
    new azure.AzureDeveloperCliCredential(),
    new azure.AzurePowerShellCredential(),
  );
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 3).join(' ').slice(0, 300);
