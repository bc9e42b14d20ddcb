/**
 * A program that uses one or several Azure SDKs without a pause, for an hour of virtual time, and then says how it went.
 * In its `constructor` form it has the broker's client, and `Date` that runs as the local mode's; in its `run` form it
 * knows nothing of a broker and lives in the time on the wall.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TokenCredential } from '@azure/core-auth';
import { ClientSecretCredential, DefaultAzureCredential, getBearerTokenProvider } from '@azure/identity';
import createTranslation, { isUnexpected } from '@azure-rest/ai-translation-text';
import speech from 'microsoft-cognitiveservices-speech-sdk';
import OpenAI from 'openai';
import { fromCredential } from '../../src/client/caller.ts';
import { BrokerCredential } from '../../src/client/credential.ts';
import { speechCredential } from '../../src/client/speech-credential.ts';
import { type ClockState, createClock, installVirtualDate } from '../../src/local/clock.ts';

const SCOPE = 'https://cognitiveservices.azure.com/.default';

export interface Plan {
  readonly sdks: readonly ('identity' | 'openai' | 'translation' | 'speech')[];
  readonly wallMs: number;
  /** By the name of the resource. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Absent: the program is run by `run`. */
  readonly broker?: {
    readonly clock: ClockState;
    readonly issuer: string;
    readonly authority: string;
    readonly scope: string;
    readonly callers: Readonly<
      Record<string, { readonly tenantId: string; readonly clientId: string; readonly clientSecret: string }>
    >;
  };
}
export interface Told {
  calls: number;
  failures: string[];
}

const plan: Plan = JSON.parse(process.env['SDK_HOUR'] ?? '');
const { broker, endpoints } = plan;
if (broker) {
  const clock = createClock(broker.clock);
  installVirtualDate(clock);
}
const endsAt = performance.now() + plan.wallMs;
const isOver = () => performance.now() > endsAt;
const words = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 300);

function credential(resource: string, caller: string): TokenCredential {
  if (broker === undefined) return new DefaultAzureCredential();
  const { tenantId, clientId, clientSecret } = broker.callers[caller] ?? assertNever(caller);
  const own = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: broker.authority,
    disableInstanceDiscovery: true,
  });
  const options = {
    issuer: broker.issuer,
    resource,
    nowMs: () => Date.now(),
    getCallerToken: fromCredential(own, broker.scope),
  };
  return resource === 'speech' ? speechCredential(options) : new BrokerCredential(options);
}
function assertNever(caller: string): never {
  throw new Error(`the plan has no ${caller}`);
}

/** Calls until the hour is over, and notes what fails. */
async function over(call: () => Promise<unknown>): Promise<Told> {
  const told: Told = { calls: 0, failures: [] };
  while (!isOver()) {
    told.calls += 1;
    await call().catch((error: unknown) => told.failures.push(words(error)));
    await pause(400);
  }
  return told;
}

const sdks: Record<Plan['sdks'][number], () => Promise<Told>> = {
  identity: () => {
    const token = getBearerTokenProvider(credential('chat', 'nightly'), SCOPE);
    return over(async () => {
      const url = `${endpoints['chat']}/openai/models?api-version=2024-10-21`;
      const { status } = await fetch(url, { headers: { authorization: `Bearer ${await token()}` } });
      if (status !== 200) throw new Error(`models: ${status}`);
    });
  },
  openai: () => {
    const client = new OpenAI({
      baseURL: `${endpoints['chat']}/openai/v1`,
      apiKey: getBearerTokenProvider(credential('chat', 'nightly'), SCOPE),
      maxRetries: 0,
    });
    return over(() =>
      client.chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    );
  },
  translation: () => {
    const address = `${endpoints['translator']}/translator/text/v3.0`;
    const client = createTranslation(address, credential('translator', 'translations'), {
      retryOptions: { maxRetries: 0 },
    });
    return over(async () => {
      const body = { inputs: [{ text: 'Hello', targets: [{ language: 'de' }] }] };
      const answer = await client.path('/translate').post({ body });
      if (isUnexpected(answer)) throw new Error(`translate: ${answer.status}`);
    });
  },
  speech: () => listen(credential('speech', 'captions')),
};

/** One recognizer that listens for the whole hour, to audio that does not end. */
async function listen(own: TokenCredential): Promise<Told> {
  const told: Told = { calls: 0, failures: [] };
  const address = `${endpoints['speech']?.replace('https:', 'wss:')}/stt/speech/universal/v2`;
  const audio = speech.AudioInputStream.createPushStream();
  const recognizer = new speech.SpeechRecognizer(
    speech.SpeechConfig.fromEndpoint(new URL(address), own),
    speech.AudioConfig.fromStreamInput(audio),
  );
  recognizer.recognized = () => {
    told.calls += 1;
  };
  recognizer.canceled = (_, { errorDetails }) => {
    if (errorDetails) told.failures.push(errorDetails);
  };
  await new Promise<void>((resolve, reject) =>
    recognizer.startContinuousRecognitionAsync(resolve, (error) => reject(new Error(error))),
  );
  while (!isOver()) {
    audio.write(new ArrayBuffer(8_000));
    await pause(250);
  }
  audio.close();
  await new Promise<void>((resolve) => recognizer.close(resolve, () => resolve()));
  return told;
}

const all = await Promise.all(plan.sdks.map(async (name) => [name, await sdks[name]()] as const));
console.log(JSON.stringify(Object.fromEntries(all)));
process.exit();
