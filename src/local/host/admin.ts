/** The host's own routes: state, the list of functions, and running one by hand. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import type { Answers } from './answer.ts';
import { readWhole } from './body.ts';
import type { TypedData } from './core.ts';
import { type HostedFunction, invoke, type Runtime } from './invoke.ts';
import { failed } from './listener.ts';
import { leaveUnread, type WireLimits } from './wire.ts';

const byHand = z.looseObject({ input: z.string().nullish() });

export interface AdminOptions {
  readonly functions: readonly HostedFunction[];
  readonly errors: readonly { readonly name: string; readonly error: string }[];
  readonly runtime: Runtime;
  readonly answers: Answers;
  readonly limits: WireLimits;
  readonly timerArgument: (name: string) => TypedData;
  /** The URL of the host that runs by hand what this app does not have. */
  readonly elsewhere: string | undefined;
}

/** Answers `/admin/…`; `path` in lower case, without a slash at its end. */
export function admin(options: AdminOptions) {
  const { functions, errors, runtime, answers } = options;
  const startedAt = performance.now();
  const byName = new Map(functions.map((fn) => [fn.name.toLowerCase(), fn]));
  const json = (res: ServerResponse, value: unknown) =>
    answers.plain(res, 200, ['Content-Type', 'application/json; charset=utf-8'], JSON.stringify(value));

  const status = () => ({
    id: 'local',
    state: 'Running',
    version: '4.1052.200',
    versionDetails: 'embedded host',
    instanceId: String(process.pid),
    processUptime: Math.round(performance.now() - startedAt),
    ...(errors.length > 0 ? { errors: errors.map(({ name, error }) => `${name}: ${error}`) } : {}),
  });

  async function runByHand(req: IncomingMessage, res: ServerResponse, fn: HostedFunction): Promise<void> {
    if (!/^application\/(?:[\w.+-]*\+)?json\b/i.test(req.headers['content-type'] ?? '')) {
      return answers.plain(res, 415);
    }
    const body = await readWhole(req, res, options.limits);
    if (typeof body === 'string') leaveUnread(req, res, options.limits.lingerMs);
    const asked = byHand.safeParse(typeof body === 'string' ? undefined : parsed(body.toString('utf8')));
    if (!asked.success) return answers.plain(res, 400);
    answers.plain(res, 202);
    // The answer does not wait, and does not tell how it went.
    const input = inputOf(fn, asked.data.input ?? '', options.timerArgument);
    runtime.log(`Executing 'Functions.${fn.name}' (Reason='This function was programmatically called')`);
    invoke(runtime, fn, input).then(
      () => runtime.log(`Executed 'Functions.${fn.name}' (Succeeded)`),
      (error: unknown) => runtime.log(failed(fn.name, error)),
    );
  }

  /** The local mode alone does this: one address runs the functions of both apps. */
  async function runElsewhere(req: IncomingMessage, res: ServerResponse, url: string): Promise<void> {
    const body = await readWhole(req, res, options.limits);
    if (typeof body === 'string') {
      leaveUnread(req, res, options.limits.lingerMs);
      return answers.plain(res, 400);
    }
    const headers = { 'content-type': req.headers['content-type'] ?? '' };
    try {
      const { status } = await fetch(url, { method: 'POST', headers, body });
      answers.plain(res, status);
    } catch {
      // The other host is being started again.
      answers.plain(res, 503);
    }
  }

  return async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    const [, , area, name, detail] = path.split('/');
    const read = req.method === 'GET';
    if (area === 'host' && name === 'ping') return answers.plain(res, 200);
    if (area === 'host' && name === 'status' && read) return json(res, status());
    if (area !== 'functions') return answers.plain(res, 404);
    if (name === undefined) return read ? json(res, functions.map(described)) : answers.plain(res, 404);
    const fn = byName.get(name);
    if (fn && req.method === 'POST' && detail === undefined) return runByHand(req, res, fn);
    if (!fn && req.method === 'POST' && detail === undefined && options.elsewhere !== undefined)
      return runElsewhere(req, res, `${options.elsewhere}/admin/functions/${name}`);
    if (!fn || !read) return answers.plain(res, 404);
    if (detail === undefined) return json(res, described(fn));
    if (detail === 'status') return json(res, {});
    answers.plain(res, 404);
  };
}

function described(fn: HostedFunction) {
  const bindings = Object.values(fn.metadata.bindings);
  return { name: fn.name, language: 'node', isDisabled: false, config: { bindings } };
}

function inputOf(fn: HostedFunction, input: string, timerArgument: (name: string) => TypedData): TypedData {
  switch (fn.type.toLowerCase()) {
    case 'timertrigger':
      return timerArgument(fn.name);
    case 'httptrigger': {
      const body = input ? { body: { bytes: Buffer.from(input) } } : {};
      return {
        http: { method: 'POST', url: 'http://localhost/', headers: {}, query: {}, params: {}, ...body },
      };
    }
    default:
      return { string: input };
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Not JSON: answered 400, as by the host.
    return undefined;
  }
}
