/** One connection of the load: HTTP/1.1 over a socket, one request at a time, with no more work than that takes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Connection {
  /** @returns the status of the answer, whose body was read to its end */
  send(request: Buffer): Promise<number>;
  close(): void;
}

/** The bytes of a request, made once and sent often. */
export function requestBytes(url: string, body: string): Buffer {
  const { host, pathname } = new URL(url);
  return Buffer.from(
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay();
  await once(socket, 'connect');
  let waiting: PromiseWithResolvers<number> | undefined;
  let received = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    const status = statusOfWhole(received);
    if (status === undefined) return;
    received = '';
    const done = waiting;
    waiting = undefined;
    done?.resolve(status);
  });
  const gone = (error?: Error) => waiting?.reject(error ?? new Error('the server closed the connection'));
  socket.on('error', gone).on('close', () => gone());
  return {
    send: (request) => {
      waiting = Promise.withResolvers<number>();
      socket.write(request);
      return waiting.promise;
    },
    close: () => closed(socket),
  };
}

function closed(socket: Socket): void {
  socket.removeAllListeners('close');
  socket.destroy();
}

const LENGTH = /\r\ncontent-length: *(\d+)/i;

/** The status of an answer that is there to its end; undefined while more of it is to come. */
function statusOfWhole(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = LENGTH.exec(text.slice(0, headEnd))?.[1];
  const whole =
    length === undefined
      ? text.endsWith('\r\n0\r\n\r\n') || Number(text.slice(9, 12)) === 204
      : text.length >= headEnd + 4 + Number(length);
  return whole ? Number(text.slice(9, 12)) : undefined;
}
