import { HttpResponse, type HttpResponseInit } from '@azure/functions';

const encoder = new TextEncoder();

/**
 * A JSON answer that is ready: status, headers and bytes. `@azure/functions` makes a `Response` of every answer, with a
 * web stream for its body, and reads all of it back, which is most of the time of an answer.
 */
export class ReadyResponse extends HttpResponse {
  constructor({ status = 200, headers = {}, jsonBody }: HttpResponseInit) {
    const bytes = encoder.encode(JSON.stringify(jsonBody));
    const init: HttpResponseInit & { nativeResponse: object } = {
      // The library reads these three of it, and `entries` of the headers.
      nativeResponse: {
        status,
        headers: new Map(Object.entries({ 'content-type': 'application/json', ...headers })),
        arrayBuffer: () => Promise.resolve(bytes.buffer),
      },
    };
    super(init);
  }
}
