/** A caller that is revoked, in each form of the client: it ends in a bounded number of tries, and says why. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClientSecretCredential, getBearerTokenProvider } from '@azure/identity';
import createTranslation from '@azure-rest/ai-translation-text';
import speech from 'microsoft-cognitiveservices-speech-sdk';
import OpenAI from 'openai';
import { brokerToken } from '../../src/client/broker-token.ts';
import { fromCredential } from '../../src/client/caller.ts';
import { BrokerCredential } from '../../src/client/credential.ts';
import { fetchWithBroker } from '../../src/client/fetch-with-broker.ts';
import { speechCredential } from '../../src/client/speech-credential.ts';
import { deliver, ownEvent } from '../local/local-mode.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
before(async () => {
  stack = await startStack();
  await stack.warm();
  for (const name of ['captions', 'translations', 'nightly']) {
    const { tenantId, clientId } = callerNamed(name);
    const event = ownEvent('RevocationRequested', {
      scope: { kind: 'client', tenantId, clientId },
      block: true,
      reason: 'left the project',
    });
    assert.equal(await deliver(stack.description.broker, [event]), 202);
  }
});
after(() => stack[Symbol.asyncDispose]());

const callerNamed = (name: string) =>
  stack.description.callers.find((one) => one.name === name) ?? assert.fail(name);
const endpointOf = (name: string) =>
  stack.description.resources.find((one) => one.name === name)?.endpoint ?? assert.fail(name);

/** The client's options, and how many exchanges it has made. */
function revoked(resource: string, name: string) {
  const { entra, broker } = stack.description;
  const { tenantId, clientId, clientSecret = '' } = callerNamed(name);
  const own = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: entra.authority,
    disableInstanceDiscovery: true,
  });
  let exchanges = 0;
  const send: typeof fetch = (...sent) => {
    exchanges += 1;
    return fetch(...sent);
  };
  return {
    exchanges: () => exchanges,
    options: { issuer: broker, resource, fetch: send, getCallerToken: fromCredential(own, entra.scope) },
  };
}

/** Who is blocked has no use for a newer token, so the first answer is the last. */
const MOST_EXCHANGES = 1;
const WHY = /no longer accepted|revoked|blocked/;
const words = (error: unknown) => (error instanceof Error ? error.message : String(error));
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(() => assert.fail('it was served'), words);

const forms: Readonly<Record<string, (made: ReturnType<typeof revoked>) => Promise<string>>> = {
  'brokerToken of speech by captions': ({ options }) => failure(brokerToken(options)()),
  'fetchWithBroker of speech by captions': ({ options }) =>
    failure(fetchWithBroker(brokerToken(options))('/tts/cognitiveservices/voices/list')),
  'BrokerCredential in openai of chat by nightly': ({ options }) =>
    failure(
      new OpenAI({
        baseURL: `${endpointOf('chat')}/openai/v1`,
        apiKey: getBearerTokenProvider(new BrokerCredential(options), 'scope/.default'),
      }).models.list(),
    ),
  'BrokerCredential in @azure-rest/ai-translation-text of translator by translations': ({ options }) =>
    failure(
      Promise.resolve(
        createTranslation(`${endpointOf('translator')}/translator/text/v3.0`, new BrokerCredential(options))
          .path('/translate')
          .post({ body: { inputs: [{ text: 'Hello', targets: [{ language: 'de' }] }] } }),
      ),
    ),
  'speechCredential in the Speech SDK of speech by captions': ({ options }) => {
    const address = new URL(`${endpointOf('speech').replace('https:', 'wss:')}/stt/speech/universal/v2`);
    const audio = speech.AudioInputStream.createPushStream();
    audio.close();
    const recognizer = new speech.SpeechRecognizer(
      speech.SpeechConfig.fromEndpoint(address, speechCredential(options)),
      speech.AudioConfig.fromStreamInput(audio),
    );
    return new Promise<string>((resolve) => {
      // Declared as texts; each is what the credential has thrown.
      recognizer.canceled = (_, { errorDetails }) => resolve(words(errorDetails));
      recognizer.recognizeOnceAsync(
        ({ errorDetails }) => resolve(words(errorDetails ?? 'it was served')),
        (error: unknown) => resolve(words(error)),
      );
    }).finally(() => recognizer.close());
  },
};

for (const [form, run] of Object.entries(forms))
  test(`${form} ends after one exchange, and says why`, async (context) => {
    const [, resource = '', name = ''] = /of (\w+) by (\w+)$/.exec(form) ?? [];
    const made = revoked(resource, name);
    const said = await run(made);
    context.diagnostic(`${made.exchanges()} exchange: ${said.split('\n')[0]}`);
    assert.match(said, WHY);
    assert.ok(made.exchanges() <= MOST_EXCHANGES, `${made.exchanges()}`);
  });
