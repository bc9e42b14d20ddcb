/** What the claims are put to: the simulated Azure of a local mode, or a resource group of a real subscription. */

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where the body is no object. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Request {
  readonly service: 'arm' | 'vault' | 'sts' | 'ai' | 'entra' | 'tables';
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
export type Send = (request: Request) => Promise<Answer>;

export interface Target {
  readonly name: string;
  readonly isReal: boolean;
  readonly send: Send;
  /** A Speech account with a custom domain. */
  readonly account: { readonly id: string; readonly endpoint: string; readonly kind: string };
  readonly armUrl: string;
  readonly vaultUrl: string;
  readonly secret: string;
  readonly table: { readonly url: string; readonly name: string };
  readonly entra: { readonly authority: string; readonly tenantId: string };
  /** A token of the one who may do all of this. */
  token(scope: string): Promise<string>;
  /** A token of an application, as callers have it. */
  callerToken(): Promise<string>;
  /** As a person does it, with rights that the broker has not. */
  byHand: {
    switchKeys(off: boolean): Promise<void>;
    deleteSecret(deleted: boolean): Promise<void>;
  };
  nowMs(): Promise<number>;
  pass(seconds: number): Promise<void>;
}

/** How the service answers is not as the claim says. `saw` has no key and no token. */
export class Broken extends Error {}
/** It cannot be tried here. */
export class Untestable extends Error {}

export interface Claim {
  readonly id: string;
  /** The sheet in `facts` or the page that makes it. */
  readonly source: string;
  readonly says: string;
  /** @returns what was measured, where the claim is about how much */
  readonly check: (target: Target) => Promise<string | undefined>;
}

export function must(isSo: boolean, saw: string): void {
  if (!isSo) throw new Broken(saw);
}

/** Only the status and the code: a body may hold a key. */
export function shown({ status, body }: Answer): string {
  const error = body['error'];
  const code =
    typeof error === 'object' && error !== null
      ? (error as { code?: unknown }).code
      : (error ?? body['statusCode']);
  return `${status}${code === undefined ? '' : ` ${String(code)}`}`;
}

export async function fetched({ method, url, headers = {}, body }: Request): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  });
  const text = await answer.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // A bare token, an XML error or nothing.
  }
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: isObject ? { ...(parsed as object) } : {},
  };
}

export async function bearer(target: Target, scope: string): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await target.token(scope)}` };
}

export const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
export const headerOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as Record<string, unknown>;
