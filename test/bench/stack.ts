/** The local mode as the bench runs it: `npm start` in processes of its own, and callers' tokens for it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Description } from '../../src/local/launch.ts';
import { GRANT_TYPE } from './subject-tokens.ts';

export interface Stack {
  readonly description: Description;
  readonly tokenUrl: string;
  /** Form bodies of exchanges by so many distinct callers, who are all this application's kind of caller. */
  bodies(callerName: string, resource: string, count: number): Promise<string[]>;
  /** A call of the control service. */
  control(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<unknown>;
  /** What the simulated services were asked after entry `after`, oldest first. */
  requests(service: string, after: number): Promise<{ requests: LoggedRequest[]; last: number }>;
  /** Of the processor, so far, by the first broker instance: in milliseconds, to ten (Linux). */
  processorMs(): number;
  /** Resident memory of the first broker instance, in MiB. */
  residentMiB(): number;
  stop(): Promise<void>;
}
export interface LoggedRequest {
  readonly operation: string;
  readonly resource?: string;
  readonly status: number;
}

export async function startStack(environment: Readonly<Record<string, string>> = {}): Promise<Stack> {
  const main = new URL('../../src/local/main.ts', import.meta.url).pathname;
  const launcher = spawn(process.execPath, [main, '--json', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...environment },
  });
  const gone = once(launcher, 'exit');
  const failed = gone.then(([code]) => {
    throw new Error(`npm start ended with ${code}`);
  });
  failed.catch(() => undefined);
  const [line] = (await Promise.race([
    once(createInterface({ input: launcher.stdout }), 'line'),
    failed,
  ])) as [string];
  const description = JSON.parse(line) as Description;

  const control: Stack['control'] = async (method, path, body) => {
    const response = await fetch(`${description.control}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  return {
    description,
    tokenUrl: `${description.broker}/oauth2/token`,
    control,
    requests: async (service, after) =>
      (await control('GET', `/requests?service=${service}&after=${after}`)) as Awaited<
        ReturnType<Stack['requests']>
      >,
    bodies: async (callerName, resource, count) => {
      const caller = description.callers.find(({ name }) => name === callerName);
      if (caller === undefined) throw new Error(`there is no caller ${callerName}`);
      const bodies: string[] = [];
      for (let index = 0; index < count; index += 1) {
        const [oid, uti] = [crypto.randomUUID(), crypto.randomUUID()];
        const claims = { azp: caller.clientId, tid: caller.tenantId, oid, sub: oid, uti };
        const { token } = (await control('POST', '/entra/sign', { claims })) as { token: string };
        bodies.push(
          new URLSearchParams({
            grant_type: GRANT_TYPE,
            subject_token: token,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            resource,
          }).toString(),
        );
      }
      return bodies;
    },
    processorMs: () => {
      const stat = readFileSync(`/proc/${instanceOf(launcher.pid ?? 0).pid}/stat`, 'utf8');
      const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
      return (user + system) * 10;
    },
    residentMiB: () => instanceOf(launcher.pid ?? 0).residentMiB,
    stop: async () => {
      launcher.kill();
      await gone;
    },
  };
}

/** The child of `parent` that runs the broker. */
function instanceOf(parent: number): { readonly pid: number; readonly residentMiB: number } {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [pid, ppid, rss, ...args] = line.trim().split(/\s+/);
    if (Number(ppid) === parent && args.some((arg) => arg.endsWith('/instance.ts')))
      return { pid: Number(pid), residentMiB: Math.round(Number(rss) / 1024) };
  }
  throw new Error('the broker instance is not running');
}
