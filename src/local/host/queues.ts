/**
 * Queue triggers, as extension 5.3 has them: a message is invisible while the function has it, comes again after a
 * throw, and goes to `NAME-poison` when it has failed too often. Invisibility is counted in the queue's own time, which
 * is virtual; the pauses between two looks are in wall time, as a message that was put is seen in seconds at any speed.
 */
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { QueueSettings } from './app.ts';
import { type HostedFunction, invoke, type Runtime } from './invoke.ts';
import { failed } from './listener.ts';
import { type OpenQueue, openConnection, type Settings } from './queue-connection.ts';
import { dotnetTime } from './timers.ts';

/** The first look after an empty one; each further one waits twice as long, up to `maxPollingInterval`. */
const FIRST_PAUSE_MS = 100;
/** A message that a function has is hidden for this long, and again when half of it is over. */
const HIDDEN_SECONDS = 600;

export interface QueueOptions {
  readonly runtime: Runtime;
  /** `extensions.queues` of host.json. */
  readonly queues: QueueSettings;
  readonly settings: Settings;
  readonly now: () => number;
  readonly sleepUntil: (ms: number, signal: AbortSignal) => Promise<void>;
}
export interface Queues {
  readonly errors: readonly { readonly name: string; readonly error: string }[];
  /** Waits for the runs under way. */
  stop(): Promise<void>;
}

interface Listening {
  readonly fn: HostedFunction;
  readonly queue: QueueClient;
  readonly poison: QueueClient;
}

export async function startQueues(
  functions: readonly HostedFunction[],
  options: QueueOptions,
): Promise<Queues> {
  const { runtime, queues } = options;
  const errors: { name: string; error: string }[] = [];
  const stopping = new AbortController();
  const listening: Listening[] = [];
  const connections = new Map<string, Promise<OpenQueue>>();

  for (const fn of functions) {
    if (fn.type.toLowerCase() !== 'queuetrigger') continue;
    try {
      const name = resolved(String(fn.trigger['queueName']), options.settings);
      const connection = String(fn.trigger['connection']);
      const opened = connections.get(connection) ?? openConnection(connection, options.settings);
      connections.set(connection, opened);
      const open = await opened;
      listening.push({ fn, queue: open(name), poison: open(`${name}-poison`) });
    } catch (error) {
      errors.push({ name: fn.name, error: error instanceof Error ? error.message : String(error) });
    }
  }

  async function listen(trigger: Listening): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    let isOut = false;
    while (!stopping.signal.aborted) {
      const messages = await receive(trigger).catch((error: unknown) => {
        if (!isOut && !stopping.signal.aborted)
          runtime.log(`The queue of 'Functions.${trigger.fn.name}' cannot be read: ${wordOf(error)}`);
        isOut = true;
        return undefined;
      });
      if (messages !== undefined) isOut = false;
      if (messages === undefined || messages.length === 0) {
        await pause(pauseMs, stopping.signal);
        pauseMs = Math.min(pauseMs * 2, queues.maxPollingIntervalMs);
        continue;
      }
      pauseMs = FIRST_PAUSE_MS;
      await Promise.all(messages.map((message) => handle(trigger, message)));
    }
  }

  async function receive({ queue }: Listening): Promise<readonly DequeuedMessageItem[]> {
    const { receivedMessageItems } = await queue.receiveMessages({
      numberOfMessages: queues.batchSize,
      visibilityTimeout: HIDDEN_SECONDS,
      abortSignal: stopping.signal,
    });
    return receivedMessageItems;
  }

  /** Never rejects: what goes wrong with the queue shows as the message's coming again. */
  async function handle({ fn, queue, poison }: Listening, message: DequeuedMessageItem): Promise<void> {
    let { popReceipt } = message;
    const renewing = new AbortController();
    // A host that ends holds no message any longer: it comes again to another one.
    const ended = AbortSignal.any([renewing.signal, stopping.signal]);
    const renew = async (): Promise<void> => {
      while (!ended.aborted) {
        await options.sleepUntil(options.now() + HIDDEN_SECONDS * 500, ended);
        if (ended.aborted) return;
        const renewed = await queue.updateMessage(
          message.messageId,
          popReceipt,
          message.messageText,
          HIDDEN_SECONDS,
        );
        popReceipt = renewed.popReceipt ?? popReceipt;
      }
    };
    const toPoison = async (): Promise<void> => {
      await poison.sendMessage(message.messageText).catch(async (error: unknown) => {
        if (!(error instanceof Error && 'statusCode' in error && error.statusCode === 404)) throw error;
        await poison.create();
        await poison.sendMessage(message.messageText);
      });
      // The words of the real host, which an alert looks for.
      runtime.log(
        `Message has reached MaxDequeueCount of ${queues.maxDequeueCount}. Moving message to queue '${poison.name}'.`,
      );
    };
    try {
      const text = decoded(message.messageText);
      const renewal = renew().catch(() => undefined);
      const isDone =
        text !== undefined && message.dequeueCount <= queues.maxDequeueCount
          ? await run(fn, message, text)
          : false;
      renewing.abort();
      await renewal;
      if (isDone || text === undefined || message.dequeueCount >= queues.maxDequeueCount) {
        if (!isDone) await toPoison();
        await queue.deleteMessage(message.messageId, popReceipt);
      } else {
        const seconds = Math.round(queues.visibilityTimeoutMs / 1000);
        await queue.updateMessage(message.messageId, popReceipt, message.messageText, seconds);
      }
    } catch (error) {
      runtime.log(
        `The queue of 'Functions.${fn.name}' did not take what became of a message: ${wordOf(error)}`,
      );
    } finally {
      renewing.abort();
    }
  }

  async function run(fn: HostedFunction, message: DequeuedMessageItem, text: string): Promise<boolean> {
    runtime.log(
      `Executing 'Functions.${fn.name}' (Reason='New queue message detected on '${fn.trigger['queueName']}'.')`,
    );
    try {
      await invoke(
        runtime,
        fn,
        { string: text },
        {
          QueueTrigger: { string: text },
          Id: { string: message.messageId },
          DequeueCount: { json: String(message.dequeueCount) },
          InsertionTime: { string: dotnetTime(message.insertedOn.getTime()) },
          ExpirationTime: { string: dotnetTime(message.expiresOn.getTime()) },
          NextVisibleTime: { string: dotnetTime(message.nextVisibleOn.getTime()) },
          PopReceipt: { string: message.popReceipt },
        },
      );
      runtime.log(`Executed 'Functions.${fn.name}' (Succeeded)`);
      return true;
    } catch (error) {
      runtime.log(failed(fn.name, error));
      return false;
    }
  }

  const loops = listening.map(listen);
  return {
    errors,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

function resolved(text: string, settings: Settings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`'%${name}%' does not resolve to a value`);
    return value;
  });
}

/** undefined: not base64, which the host moves to the poison queue at once, as it came. */
function decoded(text: string): string | undefined {
  if (text === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Buffer.from(text, 'base64').toString('utf8');
}

/** The SDK's messages hold the request. */
const wordOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error ? String(error.code) : error.name) : 'unknown';

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
