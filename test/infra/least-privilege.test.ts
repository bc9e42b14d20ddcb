/** The roles that infra/roles.bicep gives, against the calls that the apps make in the flow suite (walked.json). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { walked } from '../flows/walked.ts';
import { type Identity, rolesOf } from './roles-of.ts';

const ENTITIES = 'Microsoft.Storage/storageAccounts/tableServices/tables/entities';
const QUEUES = 'Microsoft.Storage/storageAccounts/queueServices/queues';
const CONTAINERS = 'Microsoft.Storage/storageAccounts/blobServices/containers';
const SECRETS = 'Microsoft.KeyVault/vaults/secrets';
const ACCOUNTS = 'Microsoft.CognitiveServices/accounts';

/** The actions that a call needs. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'tables GetEntity': [`${ENTITIES}/read`],
  'tables QueryEntities': [`${ENTITIES}/read`],
  'tables InsertEntity': [`${ENTITIES}/add/action`],
  'tables UpdateEntity': [`${ENTITIES}/update/action`],
  'tables MergeEntity': [`${ENTITIES}/update/action`],
  'tables InsertOrReplaceEntity': [`${ENTITIES}/add/action`, `${ENTITIES}/update/action`],
  'tables DeleteEntity': [`${ENTITIES}/delete`],
  'queues PutMessage': [`${QUEUES}/messages/add/action`],
  'queues GetMessages': [`${QUEUES}/messages/process/action`],
  'queues DeleteMessage': [`${QUEUES}/messages/process/action`],
  'queues UpdateMessage': [`${QUEUES}/messages/write`],
  'blobs GetBlob': [`${CONTAINERS}/blobs/read`],
  'blobs ListBlobs': [`${CONTAINERS}/blobs/read`],
  'blobs PutBlob': [`${CONTAINERS}/blobs/add/action`],
  'blobs AppendBlock': [`${CONTAINERS}/blobs/add/action`],
  'keyvault getSecret': [`${SECRETS}/getSecret/action`],
  'keyvault listSecretVersions': [`${SECRETS}/readMetadata/action`],
  'keyvault setSecret': [`${SECRETS}/setSecret/action`],
  'keyvault updateSecret': [`${SECRETS}/update/action`],
  'arm listKeys': [`${ACCOUNTS}/listKeys/action`],
  'arm regenerateKey': [`${ACCOUNTS}/regenerateKey/action`],
};

/** What is held and not seen in any flow, each with the reason why it stays. */
const UNSEEN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['issuer table:history', 'issuer table:rotation', 'issuer table:usage', 'rotator table:policy'].map(
      (held) => [
        `${held} Microsoft.Storage/storageAccounts/tableServices/tables/read`,
        'the built-in reader of rows also reads the names of tables',
      ],
    ),
  ),
  [`issuer container:proof ${CONTAINERS}/read`]:
    'the built-in reader of blobs also reads what a container is',
  [`issuer container:proof Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action`]:
    'the built-in reader of blobs holds it, and it is for the blob service alone, which is above the container',
  [`rotator table:history ${ENTITIES}/read`]:
    'one role of the two apps adds and changes rows, and it reads them too',
  [`rotator table:demands ${ENTITIES}/delete`]:
    'a demand that is over is removed ninety days after it was asked for',
  [`rotator table:operations ${ENTITIES}/delete`]:
    'an operation is removed ninety days after it was asked for',
  ...Object.fromEntries(
    ['events', 'demands'].flatMap((queue) => [
      [`rotator queue:${queue} ${QUEUES}/read`, 'the host asks at its start whether the queue is there'],
      [
        `rotator queue:${queue} ${QUEUES}/messages/read`,
        'the platform peeks to decide whether to start the app',
      ],
    ]),
  ),
  [`rotator queue:events-poison ${QUEUES}/messages/add/action`]:
    'what failed five times, as in the queue of the demands (test/flows/alerts.test.ts)',
};

/** `issuer table:state …/read`. */
const needed = new Set(
  walked().flatMap((call) => {
    const [identity, service, verb, resource = ''] = call.split(' ');
    const actions = NEEDS[`${service} ${verb}`];
    assert.ok(actions, `no action is known for "${call}"`);
    const scopes: Readonly<Record<string, string>> = {
      tables: `table:${resource}`,
      queues: `queue:${resource}`,
      blobs: `container:${resource}`,
      arm: 'account',
    };
    const scope = scopes[service ?? ''];
    return actions.map((action) => `${identity} ${scope ?? 'vault'} ${action}`);
  }),
);
const isSimulated = (scope: string): boolean => !scope.startsWith('host:') && scope !== 'component';
const held = new Set(
  rolesOf()
    .filter(({ scope }) => isSimulated(scope))
    .flatMap(({ identity, scope, actions, dataActions }) =>
      [...actions, ...dataActions].map((action) => `${identity satisfies Identity} ${scope} ${action}`),
    ),
);

test('no call of an app lacks the action that it needs', (t) => {
  t.diagnostic(`${walked().length} kinds of call, ${held.size} actions held`);
  assert.deepEqual(
    [...needed].filter((one) => !held.has(one)),
    [],
  );
});

test('no action is held that no call needs, but those that are named here with their reason', () => {
  const unused = [...held].filter((one) => !needed.has(one));
  assert.deepEqual(unused.toSorted(), Object.keys(UNSEEN).toSorted());
});
