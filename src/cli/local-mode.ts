/** The local mode that runs on this machine, as its description tells of it. */
import { readFileSync } from 'node:fs';
import * as https from 'node:https';
import { dirname, join } from 'node:path';
import { CommandFailure } from './failure.ts';
import type { World } from './world.ts';

export interface LocalCaller {
  readonly name: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly clientSecret?: string;
  readonly username?: string;
  readonly password?: string;
  readonly may: readonly { readonly resource: string; readonly tokenKinds: readonly string[] }[];
}

export interface LocalMode {
  readonly broker: string;
  readonly instances: readonly string[];
  readonly control: string;
  /** The file of the certificate authority of the simulated services. */
  readonly ca: string;
  readonly entra: { readonly authority: string; readonly tenantId: string; readonly scope: string };
  readonly callers: readonly LocalCaller[];
  readonly environment: { readonly issuer: Readonly<Record<string, string>> };
  readonly resources: readonly { readonly name: string; readonly endpoint: string }[];
}

const START = 'npm start (in a clone) starts one; for a deployed broker: --broker URL';

export function readDescription(file: string): LocalMode {
  return JSON.parse(readFileSync(file, 'utf8')) as LocalMode;
}

/** The system's authorities with the local mode's own, which `npm start` writes beside the description. */
export const bundleBeside = (descriptionFile: string): string =>
  join(dirname(descriptionFile), 'ca-bundle.pem');

/**
 * The one that a command is about: the one at the URL, else the only one that runs.
 * @returns undefined where the URL is of no local mode, as a deployed broker's
 * @throws CommandFailure where none or several run and no URL says which
 */
export function localModeOf(
  { findRunning }: Pick<World, 'findRunning'>,
  broker: string | undefined,
): { readonly local: LocalMode; readonly file: string } | undefined {
  const found = findRunning().map((file) => ({ file, local: readDescription(file) }));
  if (broker !== undefined) {
    const origin = URL.canParse(broker) ? new URL(broker).origin : broker;
    return found.find(({ local }) => local.instances.includes(origin));
  }
  const [only, ...others] = found;
  if (only === undefined)
    throw new CommandFailure(
      'unreachable',
      'No broker is named, and no local mode runs on this machine.',
      START,
    );
  if (others.length > 0)
    throw new CommandFailure(
      'usage',
      `${found.length} local modes run on this machine.`,
      `Name one: ${found.map(({ local }) => `--broker ${local.broker}`).join(' or ')}`,
    );
  return only;
}

export function callerNamed({ callers }: LocalMode, name: string): LocalCaller {
  const caller = callers.find((each) => each.name === name);
  if (caller !== undefined) return caller;
  const names = callers.map((each) => each.name).join(', ');
  throw new CommandFailure('usage', `The local mode knows nobody named ${name}.`, `It knows ${names}.`);
}

/** A caller's own token, for the broker unless another scope is asked for, from the simulated Entra, as an app gets it from the real one. */
export async function localToken(local: LocalMode, name: string, scope = local.entra.scope): Promise<string> {
  const { tenantId, clientId, clientSecret = '', username, password = '' } = callerNamed(local, name);
  const grant: Record<string, string> =
    username === undefined
      ? { grant_type: 'client_credentials', client_secret: clientSecret }
      : { grant_type: 'password', username, password };
  const { authority } = local.entra;
  const form = new URLSearchParams({ ...grant, client_id: clientId, scope }).toString();
  const answer = await post(`${authority}/${tenantId}/oauth2/v2.0/token`, form, readFileSync(local.ca));
  const { access_token: token, error } = answer as { access_token?: unknown; error?: unknown };
  if (typeof token !== 'string')
    throw new CommandFailure('notAllowed', `The simulated Entra gives ${name} no token: ${String(error)}.`);
  return token;
}

/** Not `fetch`, which takes no certificate authority of its own in every Node that this runs on. */
function post(url: string, form: string, ca: Buffer): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const unreachable = (error: Error) =>
      reject(
        new CommandFailure('unreachable', `The simulated Entra was not reached: ${error.message}.`, START),
      );
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(form),
    };
    const request = https.request(url, { method: 'POST', ca, headers, timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', unreachable);
      response.on('end', () => {
        try {
          resolve(JSON.parse(text));
        } catch {
          unreachable(new Error('it answers something else than JSON'));
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
    request.on('error', unreachable);
    request.end(form);
  });
}

/** Virtual time: as the control service tells it, and kept going until it is asked again. */
export interface VirtualClock {
  readonly nowMs: () => number;
  /** How many of its milliseconds pass in one on the wall. */
  readonly speed: () => number;
  /** Asks again, since somebody may have moved it. What cannot be asked is taken to be as before. */
  sync(): Promise<void>;
}

export async function virtualClock(control: string, wallMs: () => number): Promise<VirtualClock> {
  let known = { at: wallMs(), now: wallMs(), speed: 1 };
  const sync = async (): Promise<void> => {
    try {
      const answer = await fetch(`${control}/clock`, { signal: AbortSignal.timeout(2_000) });
      const { now, speed } = (await answer.json()) as { now: string; speed: number };
      known = { at: wallMs(), now: Date.parse(now), speed };
    } catch {
      // It is ending, or busy: the exchange itself will tell.
    }
  };
  await sync();
  return { nowMs: () => known.now + (wallMs() - known.at) * known.speed, speed: () => known.speed, sync };
}
