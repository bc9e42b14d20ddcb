/** The simulated Azure of a local mode of its own. */
import assert from 'node:assert/strict';
import { NO_TIMER } from '../flows/rotation-hand.ts';
import { startStack } from '../flows/stack.ts';
import { type Answer, fetched, type Request, type Target } from './target.ts';

/** Makes the simulated Azure answer otherwise than the claims say. */
export type Mutation = (request: Request, answer: Answer) => Answer;

export async function simulatedTarget(): Promise<Target & AsyncDisposable & { mutation: Mutation }> {
  const stack = await startStack([], NO_TIMER);
  const { description } = stack;
  const { issuer, rotator } = description.environment;
  const account = description.resources.find(({ name }) => name === 'speech') ?? assert.fail('no speech');
  const control = (method: string, path: string, body?: object) => stack.control(method, path, body);
  const known = new Map<string, Promise<string>>();
  const token = (scope: string): Promise<string> => {
    const resource = scope.replace(/\/\.default$/, '');
    const found = known.get(resource) ?? identityToken(rotator, 'BROKER_ROTATOR_IDENTITY', resource);
    known.set(resource, found);
    return found;
  };
  const target = {
    mutation: ((_, answer) => answer) as Mutation,
    name: 'the simulated Azure',
    isReal: false,
    send: async (request: Request) => target.mutation(request, await fetched(request)),
    account: { id: account.accountId, endpoint: account.endpoint.replace(/\/$/, ''), kind: 'SpeechServices' },
    armUrl: rotator['BROKER_ARM_URL'] ?? '',
    vaultUrl: (rotator['BROKER_KEY_VAULT_URL'] ?? '').replace(/\/$/, ''),
    // One that no policy names, so that nobody heals it.
    secret: 'contract',
    table: { url: (issuer['BROKER_TABLES_URL'] ?? '').replace(/\/$/, ''), name: 'rotation' },
    entra: { authority: description.entra.authority, tenantId: description.entra.tenantId },
    token,
    callerToken: () => stack.callerToken('captions'),
    byHand: {
      switchKeys: async (off: boolean) =>
        void (await control('PUT', '/accounts/speech', { disableLocalAuth: off })),
      deleteSecret: async (deleted: boolean) => void (await control('PUT', '/secrets/contract', { deleted })),
    },
    nowMs: async () => Date.parse(String((await control('GET', '/clock'))['now'])),
    pass: async (advanceSeconds: number) => void (await control('POST', '/clock', { advanceSeconds })),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
  return target;
}

/** As code in the app gets one. https://learn.microsoft.com/azure/app-service/overview-managed-identity */
async function identityToken(
  settings: Readonly<Record<string, string>>,
  identity: string,
  resource: string,
): Promise<string> {
  const { IDENTITY_ENDPOINT = '', IDENTITY_HEADER = '' } = settings;
  const query = new URLSearchParams({
    resource,
    'api-version': '2019-08-01',
    client_id: settings[identity] ?? '',
  });
  const answer = await fetch(`${IDENTITY_ENDPOINT}?${query}`, {
    headers: { 'x-identity-header': IDENTITY_HEADER },
  });
  const { access_token } = (await answer.json()) as { access_token?: string };
  return access_token ?? assert.fail(`no token for ${resource}: ${answer.status}`);
}
