/** Speech to text: the Speech SDK, whose recognizer may live longer than any token. */
import { EnvironmentCredential } from '@azure/identity';
import { fromCredential, speechCredential } from 'azure-ai-token-broker/client';
import sdk from 'microsoft-cognitiveservices-speech-sdk';

const { BROKER, BROKER_SCOPE, ENDPOINT } = process.env;
// In Azure: new DefaultAzureCredential(). The option is for the local mode alone, whose Entra Microsoft does not list.
const own = new EnvironmentCredential({ disableInstanceDiscovery: true });
const credential = speechCredential({
  issuer: BROKER,
  resource: 'speech',
  getCallerToken: fromCredential(own, BROKER_SCOPE),
});
// The path is what the SDK asks Azure for by itself where the address has none.
const address = new URL(`${ENDPOINT.replace('https:', 'wss:')}/stt/speech/universal/v2`);
const audio = sdk.AudioInputStream.createPushStream();
audio.write(new ArrayBuffer(16_000)); // half a second; your microphone or file
audio.close();
const recognizer = new sdk.SpeechRecognizer(
  sdk.SpeechConfig.fromEndpoint(address, credential),
  sdk.AudioConfig.fromStreamInput(audio),
);
recognizer.recognizeOnceAsync(
  ({ text, errorDetails }) => {
    console.log(text ?? errorDetails);
    recognizer.close();
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
