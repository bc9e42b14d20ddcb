/** One row per way in which a policy can be wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHAT, grant, problemsOf, resource, type Sample, SPEECH, VISION } from './bend.ts';

const problems: readonly [string, (policy: Sample) => void, string][] = [
  [
    'an unknown key at the top',
    (p) => Object.assign(p, { admins: [] }),
    'policy: there is no member "admins" here',
  ],
  [
    'an unknown key in a resource',
    (p) => Object.assign(resource(p, CHAT), { key: 'x' }),
    'resources[1] (chat): ',
  ],
  ['an unknown key in a grant', (p) => Object.assign(grant(p, 0), { allow: true }), 'grants[0] (captions): '],
  [
    'an unknown key in a caller',
    (p) => Object.assign(grant(p, 0), { callers: [{ tenant: 'home', appRole: 'A', upn: 'x' }] }),
    'grants[0] (captions).callers[0]: ',
  ],
  [
    'an unknown key in an identity',
    (p) => Object.assign(resource(p, VISION), { identity: { kind: 'systemAssigned', clientId: 'x' } }),
    'resources[2] (vision).identity: ',
  ],
  [
    "a scope that is not Azure AI's",
    (p) => Object.assign(resource(p, CHAT), { scope: 'https://management.azure.com/.default' }),
    'resources[1] (chat).scope: "https://management.azure.com/.default" is no scope of Azure AI',
  ],
  [
    'an endpoint with a query',
    (p) => Object.assign(resource(p, CHAT), { endpoint: 'https://chat.openai.azure.com/?key=x' }),
    'resources[1] (chat).endpoint: an address here has no user, no query and no fragment',
  ],
  [
    'an endpoint without TLS',
    (p) => Object.assign(resource(p, CHAT), { endpoint: 'http://chat.openai.azure.com' }),
    'resources[1] (chat).endpoint: "http://chat.openai.azure.com" is no https address',
  ],
  [
    'a resource that no grant knows',
    (p) => Object.assign(grant(p, 0), { resources: ['speach'] }),
    'grants[0] (captions).resources[0]: no resource of this policy is named "speach"; did you mean "speech"',
  ],
  [
    'a prefix that fits nothing',
    (p) => Object.assign(grant(p, 0), { resources: ['speech', 'doc-*'] }),
    'grants[0] (captions).resources[1]: no resource of this policy begins with "doc-"',
  ],
  [
    'a regular expression',
    (p) => Object.assign(grant(p, 0), { resources: ['s.*'] }),
    'grants[0] (captions).resources[0]: ',
  ],
  [
    'a star in the middle',
    (p) => Object.assign(grant(p, 0), { resources: ['s*h'] }),
    'grants[0] (captions).resources[0]: ',
  ],
  [
    'a managed identity whose long life is not accepted',
    (p) => delete resource(p, VISION)['maxLifetime'],
    'resources[2] (vision).maxLifetime: a managed identity',
  ],
  [
    'a managed identity whose life is accepted only in part',
    (p) => Object.assign(resource(p, VISION), { maxLifetime: '23h' }),
    'resources[2] (vision).maxLifetime: a managed identity',
  ],
  [
    'a resource with a life that its tokens cannot keep',
    (p) => Object.assign(resource(p, CHAT), { maxLifetime: '1h' }),
    'resources[1] (chat).maxLifetime: entra tokens for chat live up to 90m',
  ],
  [
    'a managed identity on behalf of a user',
    (p) => Object.assign(resource(p, VISION), { tokenKinds: ['entra', 'obo'] }),
    'resources[2] (vision).tokenKinds: obo tokens act for the calling user',
  ],
  [
    'an unknown identity',
    (p) => Object.assign(resource(p, VISION), { identity: { kind: 'key' } }),
    'resources[2] (vision).identity.kind: ',
  ],
  [
    'key-exchange tokens without a secret',
    (p) => delete resource(p, SPEECH)['secret'],
    'resources[0] (speech).secret: is missing: sts tokens are bought',
  ],
  [
    'a rotation without a secret',
    (p) => Object.assign(resource(p, CHAT), { rotation: {} }),
    'resources[1] (chat).secret: is missing: a rotated key',
  ],
  [
    'a resource name twice',
    (p) => Object.assign(resource(p, CHAT), { name: 'speech' }),
    'resources[1] (speech).name: speech is already at resources[0] (speech).name',
  ],
  [
    'an account twice, in another casing',
    (p) =>
      Object.assign(resource(p, CHAT), { accountId: String(resource(p, SPEECH)['accountId']).toUpperCase() }),
    'resources[1] (chat).accountId: ',
  ],
  [
    'an endpoint twice, in another spelling',
    (p) => Object.assign(resource(p, CHAT), { endpoint: 'https://SPEECH.example:443/' }),
    'resources[1] (chat).endpoint: https://speech.example is already at resources[0] (speech).endpoint',
  ],
  [
    "another account's own host as the regional one",
    (p) => Object.assign(resource(p, SPEECH), { regionalEndpoint: 'https://chat.example' }),
    'resources[0] (speech).regionalEndpoint: https://chat.example is already at resources[1] (chat).endpoint',
  ],
  [
    'a secret twice: vault names have no case',
    (p) => Object.assign(resource(p, CHAT), { secret: 'SPEECH-KEY' }),
    'resources[1] (chat).secret: ',
  ],
  [
    'an endpoint without TLS',
    (p) => Object.assign(resource(p, CHAT), { endpoint: 'http://chat.example' }),
    'resources[1] (chat).endpoint: ',
  ],
  [
    'an account id of something else',
    (p) => Object.assign(resource(p, CHAT), { accountId: '/subscriptions/x' }),
    'resources[1] (chat).accountId: ',
  ],
  [
    'a tenant name twice',
    (p) => p.tenants.push({ name: 'home', id: CHAT_ID }),
    'tenants[2] (home).name: home is already',
  ],
  [
    'a tenant id twice',
    (p) => p.tenants.push({ name: 'other', id: p.tenants[0]?.id ?? '' }),
    'tenants[2] (other).id: ',
  ],
  ['no tenant', (p) => p.tenants.splice(0), 'tenants: '],
  [
    'a grant name twice',
    (p) => Object.assign(grant(p, 1), { name: 'captions' }),
    'grants[1] (captions).name: captions is already at grants[0] (captions).name',
  ],
  [
    'a caller of no tenant',
    (p) => Object.assign(grant(p, 0), { callers: [{ tenant: 'away', appRole: 'A' }] }),
    'grants[0] (captions).callers[0].tenant: no tenant of this policy is named "away"',
  ],
  [
    'a whole tenant as caller',
    (p) => Object.assign(grant(p, 0), { callers: [{ tenant: 'home' }] }),
    'grants[0] (captions).callers[0]: this would be every caller of the tenant',
  ],
  [
    'a grant for nobody',
    (p) => Object.assign(grant(p, 0), { callers: [] }),
    'grants[0] (captions).callers: ',
  ],
  [
    'a client id that is no GUID',
    (p) => Object.assign(grant(p, 0), { callers: [{ tenant: 'home', clientId: '*' }] }),
    'grants[0] (captions).callers[0].clientId: ',
  ],
  [
    'a kind that none of its resources gives',
    (p) => Object.assign(grant(p, 1), { tokenKinds: ['sts'] }),
    'grants[1] (people).tokenKinds: none of its resources gives sts',
  ],
  [
    'a promise shorter than a key-exchange token lives',
    (p) => Object.assign(grant(p, 0), { maxLifetime: '9m' }),
    'grants[0] (captions).maxLifetime: sts tokens for speech live up to 10m',
  ],
  [
    'a promise shorter than an Entra token lives',
    (p) => Object.assign(grant(p, 1), { maxLifetime: '1h' }),
    'grants[1] (people).maxLifetime: obo tokens for chat live up to 90m',
  ],
  [
    "a promise shorter than a managed identity's token lives",
    (p) => Object.assign(grant(p, 1), { resources: ['*'], tokenKinds: ['entra'] }),
    'grants[1] (people).maxLifetime: entra tokens for vision live up to 24h',
  ],
  [
    'a duration without a unit',
    (p) => Object.assign(grant(p, 0), { maxLifetime: '600' }),
    'grants[0] (captions).maxLifetime: ',
  ],
  [
    'a duration of nothing',
    (p) => Object.assign(grant(p, 0), { maxLifetime: '0m' }),
    'grants[0] (captions).maxLifetime: ',
  ],
  [
    'a rate of nothing',
    (p) => Object.assign(grant(p, 0), { rate: { count: 0, per: '1m' } }),
    'grants[0] (captions).rate.count: ',
  ],
  ['no rate', (p) => delete grant(p, 0)['rate'], 'grants[0] (captions).rate: '],
  [
    'a blackout that is no time of day',
    (p) => Object.assign(resource(p, SPEECH), { rotation: { blackout: { from: '24:00', to: '06:00' } } }),
    'resources[0] (speech).rotation.blackout.from: ',
  ],
  [
    'a transmitter for a tenant that is not there',
    (p) =>
      Object.assign(p, {
        transmitters: [
          {
            name: 'idp',
            issuer: 'https://idp.example',
            jwksUri: 'https://idp.example/keys',
            audience: 'broker',
            tenants: ['away'],
          },
        ],
      }),
    'transmitters[0] (idp).tenants[0]: no tenant of this policy is named "away"',
  ],
];
const CHAT_ID = '00000000-0000-4000-8000-0000000000ff';

for (const [what, bend, expected] of problems)
  test(`${what} is a problem, with its path`, () => {
    const found = problemsOf(bend);
    assert.ok(
      found.some((problem) => problem.startsWith(expected)),
      `expected "${expected}…" in ${JSON.stringify(found)}`,
    );
  });
