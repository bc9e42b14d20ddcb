/** Speech to text over a WebSocket: who is let in, and what a turn is. The real SDK is in test/flows/sdk-hour.test.ts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { send, startWorld, tokenOf, type World } from './accounts-world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

const path = '/stt/speech/universal/v2';
const bearer = (who: string) => ({
  Authorization: `Bearer ${tokenOf(who, 'https://cognitiveservices.azure.com')}`,
});

/** Asks to go on over a WebSocket; the status, and the connection where it is 101. */
async function upgrade(
  headers: Record<string, string>,
  address = path,
  name = 'speech',
): Promise<{ status: number; socket?: Duplex }> {
  const request = get(`${world.host(name)}${address}`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
  const [response, socket] = (await Promise.race([once(request, 'upgrade'), once(request, 'response')])) as [
    IncomingMessage,
    Duplex | undefined,
  ];
  if (response.statusCode !== 101) response.resume();
  // The example of RFC 6455, section 1.3.
  else assert.equal(response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  return { status: response.statusCode ?? 0, ...(socket && { socket }) };
}

test('a key and an Entra token with a role are let in, by header or query, and nobody else is', async () => {
  const key = world.key('speech', 'Key1');
  const good = [
    await upgrade({ 'Ocp-Apim-Subscription-Key': key }),
    await upgrade(bearer('app')),
    await upgrade({}, `${path}?Authorization=${encodeURIComponent(bearer('app').Authorization)}`),
  ];
  for (const { status, socket } of good) {
    assert.equal(status, 101);
    socket?.destroy();
  }
  for (const headers of [{}, { Authorization: 'Bearer nonsense' }, bearer('stranger')])
    assert.equal((await upgrade(headers)).status, 401);
  assert.equal((await upgrade(bearer('app'), '/stt/speech/universal')).status, 404);
  assert.equal((await upgrade(bearer('app'), path, 'chat')).status, 404);
});

/** A masked binary message of the Speech protocol: the length of the head, the head, the audio. */
function audio(id: string, bytes: number): Buffer {
  const head = Buffer.from(`Path: audio\r\nX-RequestId: ${id}\r\n`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(head.length);
  const payload = Buffer.concat([length, head, Buffer.alloc(bytes)]);
  const frame = Buffer.alloc(8);
  frame[0] = 0x82;
  frame[1] = 0x80 | 126;
  frame.writeUInt16BE(payload.length, 2);
  // The mask is four zeros, so the payload is as it is.
  return Buffer.concat([frame, payload]);
}

test('a turn begins with its first audio, has a phrase, and ends with a message without any', async () => {
  const { socket } = await upgrade(bearer('app'));
  assert.ok(socket);
  let heard = '';
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString('latin1');
  });
  const whole = audio('1', 16_000);
  // In two pieces, as a network may bring them.
  socket.write(whole.subarray(0, 5));
  socket.write(Buffer.concat([whole.subarray(5), audio('1', 0)]));
  while (!heard.includes('Path:turn.end')) await once(socket, 'data');
  const paths = [...heard.matchAll(/Path:([\w.]+)/g)].map(([, name]) => name);
  assert.deepEqual(paths, ['turn.start', 'speech.phrase', 'turn.end']);
  assert.match(heard, /"RecognitionStatus":"Success","DisplayText":"Heard 500 ms\."/);
  socket.destroy();
});

test('nobody goes on with a token that has ended: the connection is closed at the next message', async () => {
  const key = { 'Ocp-Apim-Subscription-Key': world.key('speech', 'Key1') };
  const issued = await send('POST', `${world.host('speech')}/sts/v1.0/issueToken`, key);
  const { socket } = await upgrade({ Authorization: `Bearer ${issued.text}` });
  assert.ok(socket);
  world.advance(11 * 60_000);
  socket.write(audio('1', 16_000));
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  assert.equal(bytes[0], 0x88, 'a frame that closes');
  assert.equal(bytes.readUInt16BE(2), 1000);
  socket.destroy();
});
