/** Mistakes that people make in a policy, each as a change to the sample policy, and what they must be told. */
import { CHAT, grant, resource, type Sample, SPEECH, VISION } from './bend.ts';
import { samplePolicy } from './sample.ts';

/** `by`: whether the policy is refused when it loads, or loads and is warned of. */
export interface Mistake {
  readonly what: string;
  readonly text: string;
  readonly by: 'refused' | 'warned';
  /** Every one of these is in one of the messages. */
  readonly says: readonly string[];
}

const bent = (bend: (policy: Sample) => void): string => {
  const policy = samplePolicy();
  // The sample gives people both kinds, which is a mistake of its own.
  Object.assign(grant(policy, 1), { tokenKinds: ['obo'] });
  bend(policy);
  return JSON.stringify(policy, undefined, 2);
};
const replaced = (from: string, to: string): string => bent(() => undefined).replace(from, to);
const inResource = (index: number, change: object) => bent((p) => Object.assign(resource(p, index), change));
const inGrant = (index: number, change: object) => bent((p) => Object.assign(grant(p, index), change));
const withCaller = (caller: object, change: object = {}) =>
  inGrant(0, { callers: [{ tenant: 'home', ...caller }], ...change });
const withRotation = (rotation: object) => inResource(SPEECH, { rotation });
const transmitter = {
  name: 'idp',
  issuer: 'https://idp.example',
  jwksUri: 'https://idp.example/keys',
  audience: 'broker',
  tenants: ['home'],
};

const refused = (what: string, text: string, ...says: string[]): Mistake => ({
  what,
  text,
  by: 'refused',
  says,
});
const warned = (what: string, text: string, ...says: string[]): Mistake => ({
  what,
  text,
  by: 'warned',
  says,
});

export const MISTAKES: readonly Mistake[] = [
  refused(
    'a comma after the last member',
    replaced('"id": "00000000-0000-4000-8000-000000000001"', '"id": "00000000-0000-4000-8000-000000000001",'),
    'line 6, column 5',
    'after a comma',
    '000001",',
  ),
  refused('a comment', replaced('"tenants"', '// ours\n  "tenants"'), 'line 2, column 3', 'no comments'),
  refused('no comma between two members', replaced('"home",', '"home"'), 'line 5, column 7', 'a comma'),
  refused('single quotes', replaced('"home"', "'home'"), 'line 4, column 15', 'double quotes'),
  refused(
    'a file that was cut off',
    bent(() => undefined).slice(0, -2),
    'line 96, column 4',
    'the file ends here',
  ),
  refused(
    'a member twice',
    replaced('"grants": [', '"grants": [],\n  "grants": ['),
    'line 54, column 3',
    '"grants"',
    'twice',
  ),
  refused(
    'a member in another case',
    bent((p) => {
      delete grant(p, 0)['maxLifetime'];
      Object.assign(grant(p, 0), { maxLifeTime: '10m' });
    }),
    'grants[0] (captions): ',
    '"maxLifeTime"',
    'did you mean "maxLifetime"',
    'grants[0] (captions).maxLifetime: is missing',
  ),
  refused(
    'a member that there is not',
    withCaller({ appRole: 'Token.Exchange', email: 'ada@contoso.com' }),
    'grants[0] (captions).callers[0]: ',
    '"email"',
    'tenant, clientId, objectId, blueprint, appRole, scope, group',
  ),
  refused(
    'an account without an endpoint',
    bent((p) => delete resource(p, CHAT)['endpoint']),
    'resources[1] (chat).endpoint: is missing, for example "https://',
  ),
  refused(
    'one grant in place of a list',
    bent((p) => Object.assign(p, { grants: p.grants[0] })),
    'grants: must be a list in [ ], and is an object',
  ),
  refused(
    'one kind in place of a list',
    inGrant(0, { tokenKinds: 'sts' }),
    'grants[0] (captions).tokenKinds: must be a list in [ ], and is a text',
  ),
  refused(
    'a kind in capitals',
    inGrant(0, { tokenKinds: ['STS'] }),
    'grants[0] (captions).tokenKinds[0]: ',
    '"STS"',
    'did you mean "sts"',
  ),
  refused(
    'a kind of another name',
    inGrant(0, { tokenKinds: ['bearer'] }),
    '"bearer"',
    '"sts", "entra" or "obo"',
  ),
  refused(
    'a duration as a number',
    inGrant(0, { maxLifetime: 600 }),
    'grants[0] (captions).maxLifetime: must be a text in quotes, and is a number',
    '"10m"',
  ),
  refused(
    'a duration in words',
    inGrant(0, { maxLifetime: '10 minutes' }),
    '"10 minutes" is no duration',
    '90s, 10m, 24h or 30d',
  ),
  refused('a duration with a fraction', inGrant(0, { maxLifetime: '1.5h' }), '"1.5h" is no duration', '90m'),
  refused(
    "a region by the portal's name",
    inResource(SPEECH, { region: 'West Europe' }),
    'resources[0] (speech).region: "West Europe" is no region',
    '"westeurope"',
  ),
  refused('a region with a hyphen', inResource(SPEECH, { region: 'west-europe' }), '"westeurope"'),
  warned(
    "an account's kind without its last letter",
    inResource(SPEECH, { kind: 'SpeechService' }),
    'resources[0] (speech).kind: ',
    '"SpeechService"',
    'did you mean "SpeechServices"',
  ),
  warned(
    "an account's kind by the product's name",
    inResource(CHAT, { kind: 'Azure OpenAI' }),
    'resources[1] (chat).kind: ',
    'did you mean "OpenAI"',
  ),
  refused(
    'a host without https',
    inResource(CHAT, { endpoint: 'contoso-chat.openai.azure.com' }),
    'resources[1] (chat).endpoint: ',
    'https://contoso-chat.openai.azure.com',
  ),
  refused(
    'plain http',
    inResource(CHAT, { endpoint: 'http://contoso-chat.openai.azure.com' }),
    'resources[1] (chat).endpoint: ',
    'https://',
  ),
  refused(
    'a path in an endpoint',
    inResource(CHAT, { endpoint: 'https://contoso-chat.openai.azure.com/openai/v1' }),
    'resources[1] (chat).endpoint: ',
    '"/openai/v1"',
    'https://contoso-chat.openai.azure.com',
  ),
  refused(
    'the address of the key exchange as the regional host',
    inResource(SPEECH, {
      regionalEndpoint: 'https://westeurope.api.cognitive.microsoft.com/sts/v1.0/issuetoken',
    }),
    'resources[0] (speech).regionalEndpoint: ',
    '"/sts/v1.0/issuetoken"',
    'the broker adds',
  ),
  refused(
    "another account's host as the regional host",
    inResource(SPEECH, { regionalEndpoint: 'https://chat.example' }),
    'resources[0] (speech).regionalEndpoint: ',
    'resources[1] (chat)',
  ),
  refused(
    "the portal's address of an account",
    inResource(CHAT, { accountId: 'https://portal.azure.com/#@contoso.com/resource/subscriptions/x' }),
    'resources[1] (chat).accountId: ',
    '/subscriptions/',
  ),
  refused(
    'a tenant by its domain',
    bent((p) => Object.assign(p.tenants[0] ?? {}, { id: 'contoso.onmicrosoft.com' })),
    'tenants[0] (home).id: "contoso.onmicrosoft.com" is no id',
    '8a1f2c3d-',
  ),
  refused(
    'an id in capitals',
    withCaller({ clientId: '8A1F2C3D-4B5E-4F60-9A7B-0C1D2E3F4A5B' }),
    'grants[0] (captions).callers[0].clientId: ',
    'lower case',
    '8a1f2c3d-4b5e-4f60-9a7b-0c1d2e3f4a5b',
  ),
  refused(
    'a group by its name',
    withCaller({ group: 'Researchers' }),
    'grants[0] (captions).callers[0].group: "Researchers" is no id',
  ),
  refused(
    'a name with a blank',
    inResource(SPEECH, { name: 'Speech Prod' }),
    'resources[0].name: "Speech Prod"',
    'lower-case letters, digits and hyphens',
  ),
  refused(
    'a resource misspelled in a grant',
    inGrant(0, { resources: ['speach'] }),
    'grants[0] (captions).resources[0]: no resource of this policy is named "speach"',
    'did you mean "speech"',
  ),
  refused(
    'a tenant misspelled in a grant',
    withCaller({ tenant: 'hom', appRole: 'Token.Exchange' }),
    'grants[0] (captions).callers[0].tenant: no tenant of this policy is named "hom"',
    'did you mean "home"',
  ),
  refused(
    'a star in the middle',
    inGrant(0, { resources: ['sp*ch'] }),
    'grants[0] (captions).resources[0]: "sp*ch"',
    'one * at its end',
  ),
  refused(
    'a whole tenant as caller',
    withCaller({}),
    'grants[0] (captions).callers[0]: ',
    'every caller of the tenant',
    'clientId',
  ),
  refused(
    'on behalf of for an application',
    inGrant(1, { callers: [{ tenant: 'home', appRole: 'Token.Exchange' }], tokenKinds: ['obo'] }),
    'grants[1] (people).callers[0]: ',
    'applications',
    'obo',
  ),
  refused(
    'on behalf of by a managed identity',
    inResource(VISION, { tokenKinds: ['entra', 'obo'] }),
    'resources[2] (vision).tokenKinds: ',
    'obo',
    '"application"',
  ),
  warned(
    'an app role misspelled',
    withCaller({ appRole: 'Token.Exchnage' }),
    'grants[0] (captions).callers[0].appRole: ',
    'did you mean "Token.Exchange"',
  ),
  warned(
    'an app role of another registration',
    withCaller({ appRole: 'Reader' }),
    'grants[0] (captions).callers[0].appRole: ',
    '"Reader"',
    'Token.Exchange, Broker.User, Broker.Operator, Broker.Auditor',
  ),
  warned(
    'a scope with its App ID URI',
    withCaller({ scope: 'api://broker/Token.Exchange' }),
    'grants[0] (captions).callers[0].scope: ',
    'did you mean "Token.Exchange"',
  ),
  warned(
    "an application's role and a person's scope in one rule",
    withCaller({ appRole: 'Token.Exchange', scope: 'Token.Exchange' }),
    'grants[0] (captions).callers[0]: ',
    'nobody',
  ),
  warned(
    'a person who may have what Conditional Access would refuse',
    inGrant(1, { tokenKinds: ['obo', 'entra'] }),
    'grants[1] (people).callers[0]: ',
    'Conditional Access',
  ),
  refused(
    'key-exchange tokens without a secret',
    bent((p) => delete resource(p, SPEECH)['secret']),
    'resources[0] (speech).secret: ',
    'Key Vault',
  ),
  refused(
    'the address of a secret in place of its name',
    inResource(SPEECH, { secret: 'https://kv-contoso.vault.azure.net/secrets/speech-key' }),
    'resources[0] (speech).secret: ',
    '"speech-key"',
  ),
  refused(
    "the account's key in place of the secret's name",
    inResource(SPEECH, { secret: '0123456789abcdef0123456789abcdef' }),
    'resources[0] (speech).secret: ',
    'looks like an account key',
  ),
  refused(
    'a managed identity whose tokens live longer than said',
    bent((p) => delete resource(p, VISION)['maxLifetime']),
    'resources[2] (vision).maxLifetime: ',
    '"24h"',
  ),
  refused(
    'a promise that is shorter than a token lives',
    inGrant(1, { maxLifetime: '1h' }),
    'grants[1] (people).maxLifetime: ',
    'chat',
    '"90m"',
  ),
  refused(
    'a kind that none of the resources gives',
    inGrant(0, { tokenKinds: ['sts', 'obo'], maxLifetime: '2h' }),
    'grants[0] (captions).tokenKinds: ',
    'obo',
    'speech',
  ),
  refused(
    'a count in quotes',
    inGrant(0, { rate: { count: '60', per: '1m' } }),
    'grants[0] (captions).rate.count: must be a whole number, and is a text',
  ),
  refused(
    'a unit in place of a duration',
    inGrant(0, { rate: { count: 60, per: 'minute' } }),
    'grants[0] (captions).rate.per: "minute" is no duration',
  ),
  refused('a rate of nothing', inGrant(0, { rate: { count: 0, per: '1m' } }), 'rate.count: ', 'at least 1'),
  refused(
    'a period without its unit',
    withRotation({ period: '30' }),
    'resources[0] (speech).rotation.period: "30" is no duration',
  ),
  refused(
    'an hour with one digit',
    withRotation({ blackout: { from: '8:00', to: '18:00' } }),
    'resources[0] (speech).rotation.blackout.from: "8:00"',
    '"08:00"',
  ),
  refused(
    'a day in place of a time',
    withRotation({ keysSince: '2026-11-01' }),
    'resources[0] (speech).rotation.keysSince: "2026-11-01"',
    '2026-11-01T00:00:00Z',
  ),
  refused(
    'a rotation that is switched off by false',
    inResource(SPEECH, { rotation: false }),
    'resources[0] (speech).rotation: must be an object in { }, and is true or false',
  ),
  refused(
    'a scope that is not of Azure AI',
    inResource(CHAT, { scope: 'https://management.azure.com/.default' }),
    'resources[1] (chat).scope: ',
    'https://cognitiveservices.azure.com/.default',
  ),
  refused(
    'a managed identity without its client id',
    inResource(VISION, { identity: { kind: 'userAssigned' } }),
    'resources[2] (vision).identity.clientId: is missing',
  ),
  refused(
    "an identity's kind misspelled",
    inResource(VISION, { identity: { kind: 'system-assigned' } }),
    'resources[2] (vision).identity.kind: ',
    'did you mean "systemAssigned"',
  ),
  refused(
    'an account twice',
    bent((p) =>
      p.resources.push({ ...p.resources[CHAT], name: 'chat-2', endpoint: 'https://chat-2.example' }),
    ),
    'resources[3] (chat-2).accountId: ',
    'resources[1] (chat).accountId',
  ),
  refused(
    'a transmitter for a tenant that is not in the policy',
    bent((p) => Object.assign(p, { transmitters: [{ ...transmitter, tenants: ['partners'] }] })),
    'transmitters[0] (idp).tenants[0]: ',
    'did you mean "partner"',
  ),
  refused(
    'mistakes of both sorts in one file, in one entry and in another',
    bent((p) => {
      Object.assign(resource(p, SPEECH), { region: 'West Europe', rotation: { period: 30 } });
      Object.assign(grant(p, 0), { resources: ['speach'], rate: { count: 0, per: '1m' } });
      Object.assign(grant(p, 1), { maxLifetime: '1h' });
      delete resource(p, VISION)['maxLifetime'];
    }),
    'resources[0] (speech).region: ',
    'resources[0] (speech).rotation.period: ',
    'resources[2] (vision).maxLifetime: ',
    'grants[0] (captions).resources[0]: ',
    'grants[0] (captions).rate.count: ',
    'grants[1] (people).maxLifetime: ',
  ),
];
