import { HttpResponse, type HttpResponseInit } from '@azure/functions';

const encoder = new TextEncoder();

/**
 * A JSON answer whose bytes are ready. The library puts every body through a web stream and reads it back with
 * `arrayBuffer`, two thirds of what an answer costs (measured: 16 against 6 microseconds).
 */
export class ReadyResponse extends HttpResponse {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor({ status = 200, headers = {}, jsonBody }: HttpResponseInit) {
    super({ status, headers: { 'content-type': 'application/json', ...headers } });
    this.#bytes = encoder.encode(JSON.stringify(jsonBody));
  }

  override readonly arrayBuffer = (): Promise<ArrayBuffer> => Promise.resolve(this.#bytes.buffer);
}
