/** A running local mode (`npm start -- --json`) as programs use it: its callers, exchanges and events. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

export interface LocalCaller {
  readonly name: string;
  readonly kind: string;
  readonly tenantId: string;
  readonly objectId: string;
  readonly clientId: string;
  /** Of an agent: its blueprint's. */
  readonly clientSecret?: string;
  /** Set: an agent identity of this blueprint, which speaks for it. */
  readonly blueprintId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly may: readonly { readonly resource: string; readonly tokenKinds: readonly string[] }[];
}
/** The members of the description that are used here; all of them are kept. */
export interface LocalDescription {
  readonly broker: string;
  readonly console: string;
  readonly instances: readonly string[];
  readonly ca: string;
  readonly control: string;
  readonly keyVault: string;
  readonly tables: string;
  /** Settings with which a Functions host started by hand joins this Azure, as one of the two apps. */
  readonly environment: Readonly<Record<'issuer' | 'rotator', Readonly<Record<string, string>>>>;
  readonly entra: {
    readonly authority: string;
    readonly browserAuthority: string;
    readonly consoleClientId: string;
    readonly tenantId: string;
    readonly scope: string;
  };
  readonly callers: readonly LocalCaller[];
  readonly resources: readonly {
    readonly name: string;
    readonly accountId: string;
    readonly endpoint: string;
    readonly secret?: string;
  }[];
  readonly transmitters: readonly { readonly issuer: string; readonly audience: string }[];
}

/** Trusts the simulated services' certificate authority in this process from now on. */
function trustLocal({ ca }: LocalDescription): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')]);
}

/**
 * Starts a local mode of its own on free ports.
 * @param environment settings of the broker that differ from the local mode's own
 * @throws Error when it does not come up
 */
export async function startLocal(
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly description: LocalDescription; readonly pid: number } & AsyncDisposable> {
  const main = new URL('../../src/local/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, '--json', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const kill = (): boolean => child.kill('SIGTERM');
  process.once('exit', kill);
  const closed = once(child, 'close');
  let log = '';
  child.stderr.on('data', (text) => {
    log = `${log}${text}`.slice(-10_000);
  });
  const first = once(createInterface({ input: child.stdout }), 'line');
  const line = await Promise.race([first, closed.then(() => undefined)]);
  if (line === undefined) throw new Error(`the local mode did not start:\n${log}`);
  const description: LocalDescription = JSON.parse(String(line[0]));
  trustLocal(description);
  return {
    description,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      process.off('exit', kill);
      kill();
      await closed;
    },
  };
}

/** A server may close an idle connection just as it is used again. Only for what is safe to send twice. */
async function send(url: string, init: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

export function callerNamed({ callers }: LocalDescription, name: string): LocalCaller {
  const caller = callers.find((each) => each.name === name);
  if (caller === undefined)
    throw new Error(`no caller ${name}; there are ${callers.map((each) => each.name).join(', ')}`);
  return caller;
}

/** The caller's own token for the broker, as an app gets it. */
export async function callerToken(description: LocalDescription, name: string): Promise<string> {
  const { entra } = description;
  const caller = callerNamed(description, name);
  const { clientId, clientSecret = '', username, password = '', blueprintId } = caller;
  if (username !== undefined)
    return entraToken(description, caller, {
      grant_type: 'password',
      client_id: clientId,
      username,
      password,
    });
  if (blueprintId === undefined)
    return entraToken(description, caller, { ...byClient(clientId), client_secret: clientSecret });
  // https://learn.microsoft.com/entra/agent-id/agent-autonomous-app-oauth-flow
  const assertion = await entraToken(description, caller, {
    ...byClient(blueprintId),
    client_secret: clientSecret,
    fmi_path: clientId,
    scope: 'api://AzureADTokenExchange/.default',
  });
  return entraToken(description, caller, {
    ...byClient(clientId),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    scope: entra.scope,
  });
}

const byClient = (clientId: string) => ({ grant_type: 'client_credentials', client_id: clientId });

async function entraToken(
  { entra }: LocalDescription,
  { name, tenantId }: LocalCaller,
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const answer = await send(`${entra.authority}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ scope: entra.scope, ...form }),
  });
  const body = (await answer.json()) as { access_token?: string; error?: string };
  if (body.access_token === undefined) throw new Error(`Entra gave ${name} no token: ${body.error}`);
  return body.access_token;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function exchange(
  broker: string,
  token: string,
  resource: string,
  tokenKind?: string,
): Promise<ExchangeAnswer> {
  const answer = await fetch(`${broker}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      resource,
      ...(tokenKind === undefined ? {} : { token_kind: tokenKind }),
    }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** Events as Event Grid delivers them, one batch. @returns the status; 202 means in force on every instance */
export async function deliver(broker: string, events: unknown): Promise<number> {
  const answer = await send(`${broker}/runtime/webhooks/eventgrid?functionName=react`, {
    method: 'POST',
    headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** One of the broker's own events, in the Event Grid schema. */
export function ownEvent(
  type: string,
  data: unknown,
  id: string = crypto.randomUUID(),
): Record<string, unknown> {
  const eventTime = new Date().toISOString();
  return {
    id,
    eventType: `AzureAiTokenBroker.${type}`,
    subject: '',
    topic: '',
    eventTime,
    dataVersion: '1',
    data,
  };
}
