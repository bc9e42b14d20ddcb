/** The local mode as the bench runs it: `npm start` in processes of its own, and callers' tokens for it. */
import { spawnSync } from 'node:child_process';
import {
  callerNamed,
  callerToken,
  type LocalCaller,
  type LocalDescription,
  startLocal,
} from '../local/local-mode.ts';
import { giveServersCore } from './cores.ts';
import type { Target } from './load.ts';
import { GRANT_TYPE } from './subject-tokens.ts';

export interface StackOptions {
  readonly instances?: number;
  readonly args?: readonly string[];
  /** Settings of the broker that differ from the local mode's own. */
  readonly environment?: Readonly<Record<string, string>>;
}
export interface Wish {
  readonly caller: string;
  readonly resource: string;
  readonly tokenKind?: string;
  /** So many distinct callers of this application; of a person, so many sign-ins. */
  readonly callers: number;
}
export interface Stack extends AsyncDisposable {
  readonly description: LocalDescription;
  /** The processes of the broker, one an instance. They have the server's core. */
  readonly pids: readonly number[];
  /** Exchanges at an instance. */
  target(wish: Wish, instance?: number): Promise<Target>;
  /** A call of the control service. */
  control(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown>;
  /** What the simulated services were asked after entry `after`, oldest first. */
  requests(service: string, after: number): Promise<{ requests: LoggedRequest[]; last: number }>;
  /** How many calls the tables get while the work is done. */
  tableCalls<T>(work: () => Promise<T>): Promise<[T, number]>;
}
export interface LoggedRequest {
  readonly operation: string;
  readonly resource?: string;
  readonly status: number;
}

export async function startStack({
  instances = 1,
  args = [],
  environment,
}: StackOptions = {}): Promise<Stack> {
  const local = await startLocal(['--instances', String(instances), ...args], environment);
  const { description } = local;
  const pids = Array.from({ length: instances }, (_, index) => pidOf(local.pid, `instance-${index + 1}`));
  for (const pid of pids) giveServersCore(pid);

  const control: Stack['control'] = async (method, path, body) => {
    const response = await fetch(`${description.control}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  const requests: Stack['requests'] = async (service, after) =>
    (await control('GET', `/requests?service=${service}&after=${after}`)) as Awaited<
      ReturnType<Stack['requests']>
    >;
  /** Another caller of this application: the token of another of its service principals, so to say. */
  const signedFor = async ({ clientId, tenantId }: LocalCaller): Promise<string> => {
    const oid = crypto.randomUUID();
    const claims = { azp: clientId, tid: tenantId, oid, sub: oid, uti: crypto.randomUUID() };
    return ((await control('POST', '/entra/sign', { claims })) as { token: string }).token;
  };
  return {
    description,
    pids,
    control,
    requests,
    tableCalls: async (work) => {
      const { last } = await requests('tables', Number.MAX_SAFE_INTEGER);
      const done = await work();
      return [done, (await requests('tables', last)).requests.length];
    },
    target: async ({ caller: name, resource, tokenKind, callers }, instance = 0) => {
      const caller = callerNamed(description, name);
      const bodies: string[] = [];
      for (let index = 0; index < callers; index += 1) {
        const token = caller.kind === 'user' ? await callerToken(description, name) : await signedFor(caller);
        bodies.push(
          new URLSearchParams({
            grant_type: GRANT_TYPE,
            subject_token: token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            resource,
            ...(tokenKind !== undefined && { token_kind: tokenKind }),
          }).toString(),
        );
      }
      const pid = pids[instance] ?? 0;
      return { url: `${description.instances[instance]}/oauth2/token`, bodies, pid };
    },
    [Symbol.asyncDispose]: () => local[Symbol.asyncDispose](),
  };
}

function pidOf(parent: number, name: string): number {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid=,pid=,args='], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [ppid, pid, ...args] = line.trim().split(/\s+/);
    if (Number(ppid) === parent && args.join(' ').includes(`"name":"${name}"`)) return Number(pid);
  }
  throw new Error(`${name} is not running`);
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Math.round(Number(stdout) / 1024);
}
