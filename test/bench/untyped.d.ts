/** The parts that the bench uses of packages that come without types. */
declare module 'autocannon' {
  export interface Options {
    url: string;
    connections: number;
    duration?: number;
    amount?: number;
    method: 'POST';
    requests: { body: string; headers: Record<string, string> }[];
  }
  export interface Result {
    /** Over the seconds of the run. */
    requests: { average: number; total: number };
    /** Whole milliseconds. */
    latency: { p50: number; p99: number };
    errors: number;
    non2xx: number;
    /** Seconds. */
    duration: number;
  }
  export default function autocannon(options: Options): Promise<Result>;
}

declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  export class AccessToken {
    constructor(properties: Record<string, unknown>);
    readonly expiration: number;
    save(): Promise<string>;
  }
  export interface Context {
    oidc: { client: { clientId: string }; params: Record<string, string | undefined> };
    body: unknown;
  }
  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    readonly AccessToken: typeof AccessToken;
    registerGrantType(
      name: string,
      handler: (context: Context) => Promise<void>,
      parameters: readonly string[],
    ): void;
    callback(): RequestListener;
  }
}
