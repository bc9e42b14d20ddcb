import { HttpResponse, type HttpResponseInit } from '@azure/functions';

const encoder = new TextEncoder();

/**
 * A JSON answer that keeps its bytes. `@azure/functions` puts every body into a web stream and reads it back with
 * `arrayBuffer`, which takes two thirds of the time of an answer (measured: 16 against 6 microseconds).
 */
export class ReadyResponse extends HttpResponse {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor({ status = 200, headers = {}, jsonBody }: HttpResponseInit) {
    super({ status, headers: { 'content-type': 'application/json', ...headers } });
    this.#bytes = encoder.encode(JSON.stringify(jsonBody));
  }

  override readonly arrayBuffer = (): Promise<ArrayBuffer> => Promise.resolve(this.#bytes.buffer);
}
