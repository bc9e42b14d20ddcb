/** Azure OpenAI as its clients speak to it: chat completions, plain and streamed, and the list of models. */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Operation } from './dataplane-operation.ts';
import { json } from './json.ts';
import type { Call, Outcome } from './service.ts';

const actions = 'Microsoft.CognitiveServices/accounts/OpenAI';
const model = 'gpt-4o-mini-2024-07-18';

const request = z.object({
  messages: z
    .array(z.object({ role: z.string(), content: z.string().or(z.array(z.unknown())).nullish() }))
    .min(1),
  stream: z.boolean().nullish(),
});

export function chatCompletions(prefix: string): Operation {
  return {
    name: 'chatCompletions',
    method: 'POST',
    route: `${prefix}/chat/completions`,
    dataAction: `${actions}/deployments/chat/completions/action`,
    answer: (call, nowMs) => (lacksApiVersion(call) ? resourceNotFound : complete(call, nowMs)),
  };
}

export function models(prefix: string): Operation {
  return {
    name: 'listModels',
    method: 'GET',
    route: `${prefix}/models`,
    dataAction: `${actions}/models/read`,
    answer: (call) =>
      lacksApiVersion(call)
        ? resourceNotFound
        : { status: 200, body: { object: 'list', data: [{ id: model, object: 'model', created: 0 }] } },
  };
}

/** The `v1` paths need none; the others are not found without one, as in Azure. */
function lacksApiVersion(call: Call): boolean {
  return !call.url.pathname.startsWith('/openai/v1/') && !call.url.searchParams.has('api-version');
}
const resourceNotFound: Outcome = {
  status: 404,
  body: { error: { code: '404', message: 'Resource not found' } },
};

function complete(call: Call, nowMs: number): Outcome {
  const parsed = request.safeParse(json(call.body));
  if (!parsed.success) {
    const message = "Invalid 'messages': expected a list of messages.";
    return {
      status: 400,
      body: { error: { message, type: 'invalid_request_error', param: 'messages', code: null } },
    };
  }
  const last = parsed.data.messages.at(-1)?.content;
  const said = `You said: ${typeof last === 'string' ? last : ''}`;
  const common = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(nowMs / 1000), model };
  return parsed.data.stream ? streamed(common, said) : whole(common, said);
}

function whole(common: object, content: string): Outcome {
  return {
    status: 200,
    body: {
      ...common,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          logprobs: null,
          message: { role: 'assistant', content, refusal: null },
        },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    },
  };
}

/** Server-sent events; the simulated service sends them all at once. */
function streamed(common: object, content: string): Outcome {
  const chunk = (delta: object, finish_reason: 'stop' | null) =>
    `data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const body = `${chunk({ role: 'assistant', content }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`;
  return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body };
}
