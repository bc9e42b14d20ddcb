/** Text to speech. https://learn.microsoft.com/azure/ai-services/speech-service/rest-text-to-speech */
import type { Operation } from './dataplane-operation.ts';
import type { Call, Outcome } from './service.ts';

const actions = 'Microsoft.CognitiveServices/accounts/SpeechServices';

/** `prefix`: none on the region's host, `/tts` on the account's own. */
export const speech = (prefix: string): Operation[] => [
  {
    name: 'synthesize',
    method: 'POST',
    route: `${prefix}/cognitiveservices/v1`,
    dataAction: `${actions}/synthesis/action`,
    answer: synthesize,
  },
  {
    name: 'listVoices',
    method: 'GET',
    route: `${prefix}/cognitiveservices/voices/list`,
    dataAction: `${actions}/voices/read`,
    answer: () => ({ status: 200, body: [voice] }),
  },
];

const voice = {
  Name: 'Microsoft Server Speech Text to Speech Voice (de-DE, KatjaNeural)',
  DisplayName: 'Katja',
  LocalName: 'Katja',
  ShortName: 'de-DE-KatjaNeural',
  Gender: 'Female',
  Locale: 'de-DE',
  SampleRateHertz: '48000',
  VoiceType: 'Neural',
  Status: 'GA',
};

/** A tenth of a second of silence, as a wave file. */
function synthesize(call: Call): Outcome {
  if (!call.body.includes('<speak')) return { status: 400 };
  const samples = Buffer.alloc(3200);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); // size of the format chunk
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // mono
  head.writeUInt32LE(16_000, 24); // samples per second
  head.writeUInt32LE(32_000, 28); // bytes per second
  head.writeUInt16LE(2, 32); // bytes per sample
  head.writeUInt16LE(16, 34); // bits per sample
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return { status: 200, headers: { 'content-type': 'audio/x-wav' }, body: Buffer.concat([head, samples]) };
}
