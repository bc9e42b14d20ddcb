/** The Event Grid webhook, `/runtime/webhooks/eventgrid?functionName=X`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import type { Answers } from './answer.ts';
import { readWhole } from './body.ts';
import { parseEvents } from './event-dates.ts';
import { type HostedFunction, invoke, type Runtime } from './invoke.ts';
import { failed } from './listener.ts';
import { leaveUnread, type WireLimits } from './wire.ts';

const text = ['Content-Type', 'text/plain; charset=utf-8'];
const validation = z.tuple([z.looseObject({ data: z.looseObject({ validationCode: z.string() }) })]);
const event = z.record(z.string(), z.unknown());
const delivered = z.union([z.array(event), event.transform((one) => [one])]);

export interface WebhookOptions {
  readonly functions: readonly HostedFunction[];
  readonly runtime: Runtime;
  readonly answers: Answers;
  readonly limits: WireLimits;
}

export function eventGridWebhook({ functions, runtime, answers, limits }: WebhookOptions) {
  const targets = new Map(
    functions.filter((fn) => fn.type.toLowerCase() === 'eventgridtrigger').map((fn) => [fn.name, fn]),
  );

  async function succeeds(fn: HostedFunction, one: Record<string, unknown>): Promise<boolean> {
    try {
      const metadata = { data: { json: JSON.stringify(one['data'] ?? null) } };
      await invoke(runtime, fn, { json: JSON.stringify(one) }, metadata);
      return true;
    } catch (error) {
      runtime.log(failed(fn.name, error));
      return false;
    }
  }

  return async (req: IncomingMessage, res: ServerResponse, query: string): Promise<void> => {
    const name = new URLSearchParams(query).get('functionName') ?? '';
    const fn = targets.get(name);
    if (!fn) return answers.plain(res, 404, text, `cannot find function: '${name}'`);
    if (req.method === 'OPTIONS') {
      return answers.plain(res, 200, ['Webhook-Allowed-Origin', 'eventgrid.azure.net']);
    }
    const type = String(req.headers['aeg-event-type'] ?? '').toLowerCase();
    if (req.method === 'GET' || !['subscriptionvalidation', 'notification', 'unsubscribe'].includes(type)) {
      return answers.plain(res, 400);
    }
    if (type === 'unsubscribe') return answers.plain(res, 202);

    const body = await readWhole(req, res, limits);
    if (typeof body === 'string') {
      leaveUnread(req, res, limits.lingerMs);
      return answers.plain(res, body === 'tooLarge' ? 400 : 500);
    }
    const events = parsed(body.toString('utf8'));
    if (type === 'subscriptionvalidation') {
      const asked = validation.safeParse(events);
      if (!asked.success) return answers.plain(res, 500);
      const answer = JSON.stringify({ validationResponse: asked.data[0].data.validationCode });
      return answers.plain(res, 200, text, answer);
    }
    const batch = delivered.safeParse(events);
    if (!batch.success) return answers.plain(res, 500);
    // One invocation an event, all at once; one failure makes Event Grid send the whole batch again.
    const outcomes = await Promise.all(batch.data.map((one) => succeeds(fn, one)));
    if (outcomes.every(Boolean)) return answers.plain(res, 202);
    answers.plain(res, 500, text, `Exception while executing function: Functions.${fn.name}`);
  };
}

function parsed(body: string): unknown {
  try {
    return parseEvents(body);
  } catch {
    // Not JSON: answered 500, as by the host.
    return undefined;
  }
}
