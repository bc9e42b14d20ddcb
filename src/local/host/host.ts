/**
 * An embedded Azure Functions host: runs the unchanged function files of an app in this process, and behaves
 * as the real host was measured to wherever the app, its callers and Event Grid can notice.
 * Keys are not asked for, as with Core Tools.
 */
import type { AddressInfo } from 'node:net';
import { admin } from './admin.ts';
import { answers as answersWith } from './answer.ts';
import { loadApp } from './app.ts';
import type { HookName, Registry } from './core.ts';
import { eventGridWebhook } from './eventgrid.ts';
import { hostedFunctions, type Runtime } from './invoke.ts';
import { createListener, type Listener } from './listener.ts';
import { startQueues } from './queues.ts';
import { compileRoutes } from './routes.ts';
import { startTimers } from './timers.ts';
import { bodyLimitOf, createWireServer, INITIAL_LIMITS, type WireLimits } from './wire.ts';

export interface HostOptions {
  /** The folder with host.json and package.json. */
  readonly appFolder: string;
  /** 0 picks one. */
  readonly port: number;
  readonly log: (line: string) => void;
  /** Virtual milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves when virtual time has reached `ms`, or at once when the signal is aborted. */
  readonly sleepUntil: (ms: number, signal: AbortSignal) => Promise<void>;
  /** False: another instance holds the lease of the timers. */
  readonly timers: boolean;
  /** The file that remembers when timers ran, so that a missed run is noticed after a restart. */
  readonly timerState?: string;
  /** Called when the port is bound and before the app is loaded: its settings may name the URL. */
  readonly bound?: (url: string) => Promise<void>;
  /** The URL of a host that runs by hand what this app does not have, known once the port is bound. */
  readonly elsewhere?: () => string | undefined;
  /** A function ran out of time and every request in flight was answered 500. Azure replaces the worker. */
  readonly timedOut?: (name: string) => void;
  /** Other than those of the real host, so that a test need not wait for half a minute. */
  readonly limits?: Partial<WireLimits>;
}

export interface RunningHost {
  readonly url: string;
  readonly functions: readonly { readonly name: string; readonly type: string }[];
  /** Why the app's files could not be loaded, in which case every route is 404. */
  readonly loadError: unknown;
  /** Answers every request in flight with 500, as the host does when its worker dies. */
  abort(): void;
  /** Stops listening, lets what is in flight finish for `graceMs` (default 3,500), runs the appTerminate hooks. */
  close(graceMs?: number): Promise<void>;
}

/** @throws where the port is taken or the app's host.json or package.json cannot be read. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { appFolder, log, now } = options;
  const server = createWireServer({ ...INITIAL_LIMITS, ...options.limits });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  // A request that comes while the app is loaded waits for it, as at the platform's front end.
  const loaded = Promise.withResolvers<Listener['handle']>();
  const handle: Listener['handle'] = (req, res) => void loaded.promise.then((handler) => handler(req, res));
  server.on('request', handle);
  // Node would answer these two itself, with 100 and 417.
  server.on('checkContinue', handle);
  server.on('checkExpectation', handle);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  try {
    await options.bound?.(url);
    const app = await loadApp(appFolder, log);
    const runtime: Runtime = {
      registry: app.registry,
      functionTimeoutMs: app.functionTimeoutMs,
      log,
      timedOut(name) {
        log(`Timeout value of ${app.functionTimeoutMs}ms exceeded by function 'Functions.${name}'`);
        listener.abort();
        options.timedOut?.(name);
      },
    };
    const registered = hostedFunctions(app.registry);
    const routes = compileRoutes(registered, app.http.routePrefix);
    const inError = new Set(routes.errors.map(({ name }) => name));
    await runHooks(app.registry, 'appStart', { functionAppDirectory: appFolder });

    const timers = startTimers(registered, options.timers, {
      runtime,
      now,
      sleepUntil: options.sleepUntil,
      stateFile: options.timerState,
    });
    const queues = await startQueues(registered, {
      runtime,
      queues: app.queues,
      settings: process.env,
      now,
      sleepUntil: options.sleepUntil,
    });
    const errors = [...routes.errors, ...timers.errors, ...queues.errors];
    for (const { name } of errors) inError.add(name);
    for (const { name, error } of errors) log(`The '${name}' function is in error: ${error}`);
    const functions = registered.filter(({ name }) => !inError.has(name));

    const answers = answersWith(app.http.customHeaders, now);
    // Only now: whoever starts the host may have set the app's settings while the port was bound.
    const limits = { ...INITIAL_LIMITS, ...bodyLimitOf(process.env), ...options.limits };
    const events = eventGridWebhook({ functions, runtime, answers, limits });
    const administration = admin({
      functions,
      errors,
      runtime,
      answers,
      limits,
      timerArgument: timers.argument,
      elsewhere: options.elsewhere?.(),
    });
    const listener = createListener({
      runtime,
      routes,
      answers,
      limits,
      maxOutstandingRequests: app.http.maxOutstandingRequests,
      own: async (req, res, path, query) => {
        if (path === '/runtime/webhooks/eventgrid') return events(req, res, query);
        if (path.startsWith('/admin/')) return administration(req, res, path);
        answers.plain(res, 404);
      },
    });
    loaded.resolve(listener.handle);

    return {
      url,
      functions: functions.map(({ name, type }) => ({ name, type })),
      loadError: app.loadError,
      abort: () => listener.abort(),
      async close(graceMs = 3500) {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeIdleConnections();
        const grace = setTimeout(() => server.closeAllConnections(), graceMs);
        await Promise.all([
          closed,
          Promise.race([Promise.all([timers.stop(), queues.stop()]), wait(graceMs)]),
        ]);
        clearTimeout(grace);
        await runHooks(app.registry, 'appTerminate', {});
      },
    };
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function runHooks({ hooks }: Registry, name: HookName, context: Record<string, unknown>) {
  const shared = { hookData: {}, ...context };
  for (const hook of hooks[name]) await hook(shared);
}
