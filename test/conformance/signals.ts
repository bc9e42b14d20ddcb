import assert from 'node:assert/strict';
import { createSecurityEventEndpoint } from '../../src/http/security-events.ts';
import { createWorld, HOME, signSet, USER, type World } from '../revocation/fakes.ts';
import { jsonOf, serve } from './serve.ts';

export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
export const SUBJECT = {
  format: 'iss_sub',
  iss: `https://login.microsoftonline.com/${HOME}/v2.0`,
  sub: USER,
};

/** Claims of a good token; `undefined` takes one away. */
export function claims(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: 'https://idp.example.test/',
    jti: crypto.randomUUID(),
    iat: 1772619320,
    aud: 'https://broker.example.test/ssf',
    sub_id: SUBJECT,
    events: { [SESSION_REVOKED]: {} },
    ...over,
  };
}
export function token(over: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
  return signSet({
    header: { typ: 'secevent+jwt', alg: 'RS256', kid: 'tx-2026-03', ...header },
    payload: claims(over),
  });
}

/** A receiver on a real socket. */
export async function receiver() {
  const world: World = createWorld();
  const server = await serve({ 'POST /signals': createSecurityEventEndpoint(world.revocation.signal) });
  const push = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}/signals`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', ...headers },
    });
  return {
    world,
    push,
    /** Pushes one and expects it to be accepted; answers whom it revoked. */
    accepts: async (body: string): Promise<string[]> => {
      const answer = await push(body);
      assert.equal(answer.status, 202);
      return [...world.entries.keys()];
    },
    refuses: async (body: string): Promise<unknown> => {
      const answer = await push(body);
      assert.equal(answer.status, 400);
      assert.equal(world.entries.size, 0);
      return (await jsonOf(answer))['err'];
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
