/**
 * Takes the place of the global `Request` inside `@azure/functions` where that is compiled from source: in the bundles
 * and in the embedded host (infra/build.ts, local/host/library.ts). Handlers ask a request for its method, its headers
 * and its text. The global one also makes a URL, an abort signal and a web stream of the body, and reads the stream to
 * its end, which is an eighth of an exchange. Here the global one is made when something else is asked for.
 */

type Init = RequestInit & { readonly method: string };

/** The global `Request` takes these as they are, and has an opinion on others. */
const PLAIN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
const decoder = new TextDecoder();

class LightRequest {
  readonly #url: string;
  readonly #init: Init;
  readonly method: string;
  readonly headers: Headers;
  #isTextRead = false;
  #whole: globalThis.Request | undefined;

  constructor(url: string, init: Init) {
    const { method, body } = init;
    const isPlain = PLAIN_METHODS.has(method) && (body === undefined || body instanceof Uint8Array);
    this.#whole = isPlain ? undefined : new globalThis.Request(url, init);
    this.#url = url;
    this.#init = init;
    this.method = this.#whole?.method ?? method;
    this.headers = this.#whole?.headers ?? new Headers(init.headers);
  }

  /** The body can be read once. Where its text was taken already, the whole request finds it used. */
  get #request(): globalThis.Request {
    if (this.#whole === undefined) {
      this.#whole = new globalThis.Request(this.#url, { ...this.#init, headers: this.headers });
      if (this.#isTextRead) this.#whole.text().catch(() => undefined);
    }
    return this.#whole;
  }

  async text(): Promise<string> {
    if (this.#whole !== undefined || this.#isTextRead) return this.#request.text();
    const { body } = this.#init;
    if (!(body instanceof Uint8Array)) return '';
    this.#isTextRead = true;
    return decoder.decode(body);
  }

  get url(): string {
    return this.#request.url;
  }
  get body(): globalThis.Request['body'] {
    return this.#request.body;
  }
  get bodyUsed(): boolean {
    return this.#isTextRead || this.#request.bodyUsed;
  }
  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#request.arrayBuffer();
  }
  blob(): ReturnType<globalThis.Request['blob']> {
    return this.#request.blob();
  }
  formData(): Promise<FormData> {
    return this.#request.formData();
  }
  json(): Promise<unknown> {
    return this.#request.json();
  }
  clone(): globalThis.Request {
    return this.#request.clone();
  }
}

export { LightRequest as Request };
