/** One row per way to be refused over HTTP: what is asked, what the caller hears, what the record says. */
import assert from 'node:assert/strict';
import { researchers } from '../../src/local/simulated/demo-directory.ts';
import type { AuditRecord } from '../../src/ports.ts';
import type { Answer, Stack } from './stack.ts';

export interface Refusal {
  readonly what: string;
  readonly run: () => Promise<Answer>;
  readonly status: number;
  readonly error: string;
  readonly record: Partial<AuditRecord>;
}

export function refusalsOf(stack: Stack): readonly Refusal[] {
  /** A user of the demo directory that is no caller of the description. */
  const userToken = async (name: string): Promise<string> => {
    const { authority, scope, tenantId } = stack.description.entra;
    const ada = stack.description.callers.find((caller) => caller.name === 'ada');
    const response = await fetch(`${authority}/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: ada?.clientId ?? '',
        scope,
        username: (ada?.username ?? '').replace('ada', name),
        password: (ada?.password ?? '').replace('ada', name),
      }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  /** An operator's event, as Event Grid delivers it. */
  const revoke = async (scope: object): Promise<void> => {
    const response = await fetch(
      `${stack.description.broker}/runtime/webhooks/eventgrid?functionName=react`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'aeg-event-type': 'Notification' },
        body: JSON.stringify([
          {
            id: crypto.randomUUID(),
            topic: '/local',
            subject: 'test',
            eventType: 'AzureAiTokenBroker.RevocationRequested',
            eventTime: new Date().toISOString(),
            data: { scope, reason: 'test' },
            dataVersion: '1',
          },
        ]),
      },
    );
    assert.equal(response.status, 202);
  };

  const signed = async (claims: object, header: object = {}): Promise<string> =>
    String((await stack.control('POST', '/entra/sign', { header, claims }))['token']);

  return [
    {
      what: 'a target that is not there',
      run: async () => stack.exchange(await stack.callerToken('captions'), 'nothing'),
      status: 400,
      error: 'invalid_target',
      record: { reason: 'target_unknown' },
    },
    {
      what: 'a target of others',
      run: async () => stack.exchange(await stack.callerToken('captions'), 'chat'),
      status: 400,
      error: 'invalid_target',
      record: { reason: 'grant_missing', resource: 'chat' },
    },
    {
      what: 'a kind that was not granted',
      run: async () => stack.exchange(await stack.callerToken('captions'), 'speech', { token_kind: 'entra' }),
      status: 400,
      error: 'invalid_target',
      record: { reason: 'grant_missing', resource: 'speech' },
    },
    {
      what: 'a caller of another tenant',
      run: async () => stack.exchange(await stack.callerToken('outsider'), 'speech'),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: tenant' },
    },
    {
      what: 'a token for another audience',
      run: async () =>
        stack.exchange(
          await stack.callerToken('captions', 'https://cognitiveservices.azure.com/.default'),
          'speech',
        ),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: audience' },
    },
    {
      what: 'a token of the broker itself, handed back to it',
      run: async () => {
        const first = await stack.exchange(await stack.callerToken('nightly'), 'chat');
        return stack.exchange(String(first.body['access_token']), 'chat');
      },
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: audience' },
    },
    {
      what: 'an expired token',
      run: async () => stack.exchange(await signed({ exp: Math.floor(Date.now() / 1000) - 1 }), 'speech'),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: expired' },
    },
    {
      what: 'a security event token',
      run: async () => stack.exchange(await signed({}, { typ: 'secevent+jwt' }), 'speech'),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: type' },
    },
    {
      what: 'a token under a key that nobody published',
      run: async () => stack.exchange(await signed({}, { kid: 'made-up' }), 'speech'),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: unknown_key' },
    },
    {
      what: 'a token that was changed',
      run: async () => {
        const [header, , signature] = (await stack.callerToken('captions')).split('.');
        const claims = (await stack.callerToken('nightly')).split('.')[1];
        return stack.exchange(`${header}.${claims}.${signature}`, 'chat');
      },
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: signature' },
    },
    {
      what: 'a user for whom Conditional Access wants more',
      run: async () => {
        const answer = await stack.exchange(await userToken('grace'), 'chat');
        assert.ok(JSON.parse(String(answer.body['claims'])).access_token, 'the claims go back to the caller');
        return answer;
      },
      status: 400,
      error: 'interaction_required',
      record: { reason: 'interaction_required', resource: 'chat', grant: 'researchers', tokenKind: 'obo' },
    },
    {
      what: 'a user whose groups do not fit into a token',
      run: async () => stack.exchange(await userToken('hedy'), 'chat'),
      status: 400,
      error: 'invalid_target',
      record: { reason: 'grant_missing', resource: 'chat' },
    },
    {
      what: 'an application on behalf of nobody',
      run: async () =>
        stack.exchange(await signed({ scp: 'Token.Exchange', groups: [researchers] }), 'chat', {
          token_kind: 'obo',
        }),
      status: 400,
      error: 'invalid_request',
      // No token of an application has a scope.
      record: { reason: 'caller_unverified: claims' },
    },
    {
      what: 'a token that was revoked',
      run: async () => {
        const token = await signed({ uti: 'the-revoked-one' });
        assert.equal((await stack.exchange(token, 'speech')).status, 200);
        await revoke({ kind: 'token', tenantId: stack.description.entra.tenantId, uti: 'the-revoked-one' });
        return stack.exchange(token, 'speech');
      },
      status: 400,
      error: 'invalid_request',
      record: { resource: 'speech', grant: 'captions', uti: 'the-revoked-one' },
    },
    {
      what: 'no token',
      run: () => stack.exchange('', 'speech', { subject_token: undefined, subject_token_type: undefined }),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'caller_unverified: missing' },
    },
    {
      what: 'a scope of its own',
      run: async () => stack.exchange(await stack.callerToken('captions'), 'speech', { scope: 'openid' }),
      status: 400,
      error: 'invalid_scope',
      record: { reason: 'scope_unsupported', grant: 'captions' },
    },
    {
      what: 'another grant type',
      run: () => stack.exchange('x', 'speech', { grant_type: 'client_credentials' }),
      status: 400,
      error: 'unsupported_grant_type',
      record: { reason: 'grant_type_unsupported' },
    },
    {
      what: 'an actor',
      run: () => stack.exchange('x', 'speech', { actor_token: 'y' }),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'actor_token' },
    },
    {
      what: 'an ID token as subject',
      run: () =>
        stack.exchange('x', 'speech', {
          subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        }),
      status: 400,
      error: 'invalid_request',
      record: { reason: 'subject_token_type: id_token' },
    },
  ];
}
