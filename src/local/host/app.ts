/** Loads a Functions app: host.json, and the files that package.json's `main` names. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { collect, type Registry } from './core.ts';

const timeSpan = (initial: string) =>
  z
    .string()
    .default(initial)
    .transform((text, context) => {
      const ms = timeSpanMs(text);
      if (ms !== undefined) return ms;
      context.addIssue(`${text} is no time span such as 00:00:02`);
      return z.NEVER;
    });
const hostJson = z.looseObject({
  functionTimeout: z.string().default('00:30:00'),
  extensions: z
    .looseObject({
      http: z
        .looseObject({
          routePrefix: z.string().default('api'),
          maxOutstandingRequests: z.int().default(-1),
          customHeaders: z.record(z.string(), z.string()).default({}),
        })
        .prefault({}),
      queues: z
        .looseObject({
          maxPollingInterval: timeSpan('00:01:00'),
          visibilityTimeout: timeSpan('00:00:00'),
          batchSize: z.int().min(1).max(32).default(16),
          maxDequeueCount: z.int().min(1).default(5),
        })
        .prefault({})
        .transform(({ maxPollingInterval, visibilityTimeout, batchSize, maxDequeueCount }) => ({
          maxPollingIntervalMs: maxPollingInterval,
          visibilityTimeoutMs: visibilityTimeout,
          batchSize,
          maxDequeueCount,
        })),
    })
    .prefault({}),
});
export type QueueSettings = z.infer<typeof hostJson>['extensions']['queues'];
export type HttpSettings = z.infer<typeof hostJson>['extensions']['http'];

export interface FunctionApp {
  readonly registry: Registry;
  readonly http: HttpSettings;
  readonly queues: QueueSettings;
  /** Undefined: unbounded. */
  readonly functionTimeoutMs: number | undefined;
  /** A file threw while it was loaded: as in Azure, the host runs and no function does. */
  readonly loadError: unknown;
}

/** An app's modules are evaluated once a process, however often it is hosted there. */
const loaded = new Map<string, Promise<{ registry: Registry; loadError: unknown }>>();

/** @throws where host.json or package.json cannot be read. */
export async function loadApp(folder: string, log: (line: string) => void): Promise<FunctionApp> {
  const settings = hostJson.parse(JSON.parse(readFileSync(join(folder, 'host.json'), 'utf8')));
  const { main } = z
    .looseObject({ main: z.string() })
    .parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  const known = loaded.get(folder) ?? loadFiles(folder, main, log);
  loaded.set(folder, known);
  return {
    ...(await known),
    http: settings.extensions.http,
    queues: settings.extensions.queues,
    functionTimeoutMs: timeSpanMs(settings.functionTimeout),
  };
}

async function loadFiles(folder: string, main: string, log: (line: string) => void) {
  let loadError: unknown;
  const registry = await collect(async () => {
    try {
      const files = globSync(main, { cwd: folder }).sort();
      if (files.length === 0) throw new Error(`no file matches "main": "${main}" of package.json`);
      for (const file of files) await import(pathToFileURL(join(folder, file)).href);
    } catch (error) {
      loadError = error;
      log(`The app did not load, so every route is 404: ${error instanceof Error ? error.stack : error}`);
    }
  }, log);
  if (loadError) registry.functions.clear();
  await registry.model?.getCapabilities({});
  return { registry, loadError };
}

/** `hh:mm:ss` or `d.hh:mm:ss`; `-1` is unbounded. */
export function timeSpanMs(text: string): number | undefined {
  const parts = /^(?:(\d+)\.)?(\d{1,2}):(\d\d):(\d\d)$/.exec(text);
  if (!parts) return undefined;
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}
