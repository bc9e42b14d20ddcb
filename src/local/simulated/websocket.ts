/** The server's half of a WebSocket, RFC 6455, as far as a simulated service speaks it: no extension, no pings of its own. */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';

export interface Conversation {
  send(text: string): void;
  /** Ends it with a code of section 7.4 and words for a person. */
  close(code: number, reason: string): void;
}
export interface Listens {
  onText(text: string): void;
  onBinary(bytes: Buffer): void;
}

const OPCODES = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const FINAL = 0x80;
const MASKED = 0x80;
const MAX_MESSAGE_BYTES = 1_048_576;

/** Section 4.2.2: takes the connection over. `listens` is told each whole message. */
export function accept(
  key: string,
  socket: Duplex,
  head: Buffer,
  listens: (with_: Conversation) => Listens,
): void {
  const answer = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${answer}\r\n\r\n`,
  );
  const conversation: Conversation = {
    send: (text) => write(socket, OPCODES.text, Buffer.from(text)),
    close(code, reason) {
      const payload = Buffer.alloc(2);
      payload.writeUInt16BE(code);
      write(socket, OPCODES.close, Buffer.concat([payload, Buffer.from(reason)]));
      socket.end();
    },
  };
  const listener = listens(conversation);
  let waiting = head;
  let parts: Buffer[] = [];
  let kind: number = OPCODES.text;
  const onFrame = ({ opcode, isFinal, payload }: Frame): void => {
    if (opcode === OPCODES.close) conversation.close(1000, '');
    if (opcode === OPCODES.ping) write(socket, OPCODES.pong, payload);
    // Those above may come in the middle of a message.
    if (opcode > OPCODES.binary) return;
    if (opcode !== OPCODES.more) kind = opcode;
    parts.push(payload);
    if (!isFinal) return;
    const message = Buffer.concat(parts);
    parts = [];
    if (kind === OPCODES.binary) listener.onBinary(message);
    else listener.onText(message.toString('utf8'));
  };
  const read = (bytes: Buffer): void => {
    waiting = Buffer.concat([waiting, bytes]);
    for (let frame = nextFrame(waiting); frame; frame = nextFrame(waiting)) {
      if (frame === 'tooLarge') return void socket.destroy();
      waiting = waiting.subarray(frame.bytes);
      onFrame(frame);
    }
  };
  // A client that goes away is no fault.
  socket.on('error', () => socket.destroy());
  socket.on('data', read);
  read(Buffer.alloc(0));
}

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
  /** Of the whole frame. */
  readonly bytes: number;
}

/** Section 5.2; `undefined` where it has not all come. */
function nextFrame(buffer: Buffer): Frame | 'tooLarge' | undefined {
  if (buffer.length < 2) return undefined;
  const [first = 0, second = 0] = buffer;
  const short = second & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const maskBytes = second & MASKED ? 4 : 0;
  const start = 2 + lengthBytes + maskBytes;
  if (buffer.length < start) return undefined;
  const length =
    lengthBytes === 8
      ? Number(buffer.readBigUInt64BE(2))
      : lengthBytes === 2
        ? buffer.readUInt16BE(2)
        : short;
  if (length > MAX_MESSAGE_BYTES) return 'tooLarge';
  if (buffer.length < start + length) return undefined;
  const mask = buffer.subarray(start - maskBytes, start);
  const payload = Buffer.from(buffer.subarray(start, start + length));
  if (maskBytes > 0) for (let i = 0; i < length; i += 1) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return { opcode: first & 0x0f, isFinal: (first & FINAL) !== 0, payload, bytes: start + length };
}

function write(socket: Duplex, opcode: number, payload: Buffer): void {
  if (socket.writableEnded || socket.destroyed) return;
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = FINAL | opcode;
  head[1] = payload.length < 126 ? payload.length : 126;
  if (head.length === 4) head.writeUInt16BE(payload.length, 2);
  socket.write(Buffer.concat([head, payload]));
}
