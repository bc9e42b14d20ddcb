/**
 * Speech to text over a WebSocket, as the Speech SDK speaks it: messages with headers, text or binary, a turn for each
 * request id. It hears nothing; it says how many milliseconds of audio came.
 */
import type { Operation } from './dataplane-operation.ts';
import type { Conversation, Listens } from './websocket.ts';

const paths =
  /^(\/stt)?\/speech\/(universal\/v\d|recognition\/(interactive|conversation|dictation)\/cognitiveservices\/v1)$/;

/** `undefined` for a path on which no WebSocket is served. */
export function recognition(kind: string, path: string): Operation | undefined {
  if ((kind !== 'SpeechServices' && kind !== 'AIServices') || !paths.test(path)) return undefined;
  return {
    name: 'recognize',
    method: 'GET',
    route: path,
    dataAction: 'Microsoft.CognitiveServices/accounts/SpeechServices/unified-speech/frontend/action',
    answer: () => ({ status: 101 }),
  };
}

/** A second of what the SDK sends: 16 kHz, 16 bits, one channel. */
const BYTES_PER_SECOND = 32_000;
/** A turn begins with the head of a wave file. */
const WAVE_HEAD_BYTES = 44;
/** The SDK counts in steps of 100 ns. */
const TICKS_PER_SECOND = 10_000_000;

/** @param isStillGood asked at every message: the service lets nobody go on with a credential that has ended */
export function recognize(conversation: Conversation, isStillGood: () => Promise<boolean>): Listens {
  let turn: { readonly id: string; bytes: number; said: number } | undefined;
  let order = Promise.resolve();

  const say = (id: string, path: string, body: object): void =>
    conversation.send(
      `X-RequestId:${id}\r\nContent-Type:application/json; charset=utf-8\r\nPath:${path}\r\n\r\n${JSON.stringify(body)}`,
    );
  const phrase = (id: string, bytes: number): void =>
    say(id, 'speech.phrase', {
      RecognitionStatus: 'Success',
      DisplayText: `Heard ${Math.round((bytes / BYTES_PER_SECOND) * 1000)} ms.`,
      Offset: 0,
      Duration: Math.round((bytes / BYTES_PER_SECOND) * TICKS_PER_SECOND),
    });
  const onAudio = (id: string, body: Buffer): void => {
    const audio =
      body.subarray(0, 4).toString('latin1') === 'RIFF' ? body.length - WAVE_HEAD_BYTES : body.length;
    const isEnd = body.length === 0;
    if (turn?.id !== id) {
      turn = { id, bytes: 0, said: 0 };
      say(id, 'turn.start', { context: { serviceTag: id } });
    }
    turn.bytes += audio;
    if (!isEnd && turn.bytes - turn.said < BYTES_PER_SECOND) return;
    turn.said = turn.bytes;
    phrase(id, turn.bytes);
    if (!isEnd) return;
    turn = undefined;
    say(id, 'turn.end', {});
  };
  const inOrder = (work: () => void): void => {
    order = order.then(async () => {
      if (await isStillGood()) work();
      else conversation.close(1000, 'The authorization of this connection has ended.');
    });
  };
  return {
    onText: () => inOrder(() => {}),
    onBinary: (bytes) =>
      inOrder(() => {
        const headBytes = bytes.length < 2 ? 0 : bytes.readUInt16BE(0);
        const head = bytes.subarray(2, 2 + headBytes).toString('latin1');
        const named = (name: string) => new RegExp(`^${name}: *(.+)$`, 'im').exec(head)?.[1]?.trim();
        const id = named('x-requestid');
        if (id && named('path') === 'audio') onAudio(id, bytes.subarray(2 + headBytes));
      }),
  };
}
