import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromCredential, fromMsal } from '../../src/client/caller.ts';

test('a TokenCredential is asked for the scope, with claims where there are some, as a client that can answer them', async () => {
  const asked: unknown[] = [];
  const get = fromCredential(
    {
      getToken: async (...of) => {
        asked.push(of);
        return { token: 'own' };
      },
    },
    'api://broker/.default',
  );
  assert.equal(await get(), 'own');
  assert.equal(await get('{}'), 'own');
  assert.deepEqual(asked, [
    ['api://broker/.default', { enableCae: true, claims: undefined }],
    ['api://broker/.default', { enableCae: true, claims: '{}' }],
  ]);
});

test('a TokenCredential that has none says so', async () => {
  await assert.rejects(fromCredential({ getToken: async () => null }, 's')(), /no token of its own/);
});

test('MSAL is asked silently, and its demand that the user take part comes through as it is', async () => {
  const asked: unknown[] = [];
  const get = fromMsal(
    {
      acquireTokenSilent: async (request) => {
        asked.push(request);
        return { accessToken: 'own' };
      },
    },
    's',
  );
  assert.equal(await get('{}'), 'own');
  assert.deepEqual(asked, [{ scopes: ['s'], claims: '{}' }]);
  const interaction = Object.assign(new Error('sign in'), { name: 'InteractionRequiredAuthError' });
  const unable = fromMsal({ acquireTokenSilent: () => Promise.reject(interaction) }, 's');
  await assert.rejects(async () => unable(), interaction);
});
