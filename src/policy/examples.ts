/** What people usually want of a policy, each as a fragment that is merged into infra/policy.json. For POLICY.md. */

export interface Example {
  readonly wish: string;
  readonly fragment: Readonly<Record<string, readonly object[]>>;
  /** What must be said about the fragment, a sentence or two each. */
  readonly notes: readonly string[];
}

const SUBSCRIPTION = '1c7e2a90-5d34-4b8f-a6e1-3f90c2d4b5a6';
const NIGHTLY = '3e5a9c12-7b48-4d06-9f21-8c6d0e4b7a53';
const HELPDESK = '2b7c9e54-1f03-4d68-a5b9-6c8e0d3f7a12';
const LAWYERS = '6f2b8d41-0c95-4e7a-b3d8-5a1e9f7c2064';
const WEB_APP = '9a4d7e23-6c18-4f5b-8e02-b7c3d1f0a586';
const IDENTITY = 'c0e8f6a7-2d51-43b9-97f4-1b6a5e3d8c20';

const account = (name: string): string =>
  `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/${name}`;
const rate = { count: 60, per: '1m' };
const shared = (name: string, kind: string) => ({
  name,
  accountId: account(`contoso-${name}`),
  kind,
  region: 'westeurope',
  endpoint: `https://contoso-${name}.cognitiveservices.azure.com`,
  tokenKinds: ['entra'],
  identity: { kind: 'userAssigned', clientId: IDENTITY },
  maxLifetime: '24h',
});

export const EXAMPLES: readonly Example[] = [
  {
    wish: 'A second account',
    fragment: {
      resources: [
        {
          name: 'translator',
          accountId: account('contoso-translator'),
          kind: 'TextTranslation',
          region: 'westeurope',
          endpoint: 'https://contoso-translator.cognitiveservices.azure.com',
          tokenKinds: ['sts'],
          secret: 'translator-key',
          rotation: { period: '30d' },
        },
      ],
      grants: [{ name: 'captions-speech', resources: ['speech', 'translator'] }],
    },
    notes: [
      'The grant in the fragment lets those who may use `speech` use it too: nobody may use an account that no grant names.',
      'Add the account to `accounts` in environments.json, with `"rotated": true`; `npm run check` compares the two.',
    ],
  },
  {
    wish: 'A team by group',
    fragment: {
      grants: [
        {
          name: 'lawyers-chat',
          callers: [{ tenant: 'home', group: LAWYERS, scope: 'Token.Exchange' }],
          resources: ['chat'],
          tokenKinds: ['obo'],
          maxLifetime: '90m',
          rate,
        },
      ],
    },
    notes: [
      "`group` is the group's object id. Entra must put groups into the tokens (Token configuration, groups claim), best only those that are assigned to the application: a token with more than 200 groups names none.",
      'Who leaves the group loses the grant when the token ends, or sooner if the broker watches the group.',
    ],
  },
  {
    wish: 'A nightly job',
    fragment: {
      grants: [
        {
          name: 'nightly-speech',
          callers: [{ tenant: 'home', clientId: NIGHTLY, appRole: 'Token.Exchange' }],
          resources: ['speech'],
          tokenKinds: ['entra'],
          maxLifetime: '90m',
          rate: { count: 10, per: '1h' },
        },
      ],
    },
    notes: [
      'An application has the app role Token.Exchange, and no scope. `clientId` makes it this one alone.',
      'An `entra` token lives up to 90 minutes, so a job asks less often than for `sts` tokens of ten minutes.',
    ],
  },
  {
    wish: 'Agents of one blueprint',
    fragment: {
      grants: [
        {
          name: 'helpdesk-speech',
          callers: [{ tenant: 'home', blueprint: HELPDESK, appRole: 'Token.Exchange' }],
          resources: ['speech'],
          tokenKinds: ['sts'],
          maxLifetime: '10m',
          rate,
        },
      ],
    },
    notes: [
      '`blueprint` is the client id of the Entra agent identity blueprint: one line for all of its agents, also those that are made later. Add `clientId` for one agent alone.',
      'To end them all, revoke the client with the blueprint\'s id (`{ "kind": "client" }`); with an agent\'s own id, that one ends.',
      'A rule without `blueprint` asks nobody whether they are an agent: an agent that acts for a person fits a rule by group or scope. It gets `obo` tokens only where Entra says that a person has signed in, never for a user account of its own.',
    ],
  },
  {
    wish: 'A freeze',
    fragment: {
      resources: [{ name: 'speech', rotation: { paused: true, blackout: { from: '07:00', to: '19:00' } } }],
    },
    notes: [
      '`paused`: no rotation starts until it is false again, and one that has begun stands still. Exchanges go on, an emergency rotation is not held back.',
      '`blackout`: in that time of each day, in UTC, no rotation starts, and one that has begun goes on. It may stand alone.',
      'In steps, and back: [the runbook](README.md#freeze-the-rotation).',
    ],
  },
  {
    wish: 'An on-behalf-of web app',
    fragment: {
      grants: [
        {
          name: 'web-app-chat',
          callers: [{ tenant: 'home', clientId: WEB_APP, scope: 'Token.Exchange' }],
          resources: ['chat'],
          tokenKinds: ['obo'],
          maxLifetime: '90m',
          rate,
        },
      ],
    },
    notes: [
      "The web app sends its user's token. `clientId` is the web app, `scope` makes sure that there is a user.",
      'The users need a data role on the account, as a group (`"to": "group"` in environments.json).',
      'Do not give the same people `entra` for this account: they would get without Conditional Access what it refuses.',
    ],
  },
  {
    wish: 'A managed-identity resource',
    fragment: {
      resources: [
        {
          name: 'vision',
          accountId: account('contoso-vision'),
          kind: 'ComputerVision',
          region: 'westeurope',
          endpoint: 'https://contoso-vision.cognitiveservices.azure.com',
          tokenKinds: ['entra'],
          identity: { kind: 'systemAssigned' },
          maxLifetime: '24h',
        },
      ],
      grants: [
        {
          name: 'nightly-vision',
          callers: [{ tenant: 'home', clientId: NIGHTLY, appRole: 'Token.Exchange' }],
          resources: ['vision'],
          tokenKinds: ['entra'],
          maxLifetime: '24h',
          rate: { count: 10, per: '1h' },
        },
      ],
    },
    notes: [
      "A managed identity's tokens live up to 24 hours, and nobody can end one that is out: both `maxLifetime` say that you accept that.",
    ],
  },
  {
    wish: 'A shared identity',
    fragment: {
      resources: [shared('language', 'TextAnalytics'), shared('documents', 'FormRecognizer')],
      grants: [
        {
          name: 'nightly-reading',
          callers: [{ tenant: 'home', clientId: NIGHTLY, appRole: 'Token.Exchange' }],
          resources: ['language', 'documents'],
          tokenKinds: ['entra'],
          maxLifetime: '24h',
          rate: { count: 10, per: '1h' },
        },
      ],
    },
    notes: [
      'The function app must carry the identity (`identities` in environments.json), and the identity needs a role on both accounts.',
      'An Entra token is good for every account where its identity has a role: whoever may have one for `language` reaches `documents`. Share an identity only where that is meant.',
    ],
  },
  {
    wish: 'A sovereign cloud',
    fragment: {
      resources: [
        {
          name: 'speech',
          accountId: account('contoso-speech'),
          kind: 'SpeechServices',
          region: 'usgovvirginia',
          endpoint: 'https://contoso-speech.cognitiveservices.azure.us',
          regionalEndpoint: 'https://usgovvirginia.api.cognitive.microsoft.us',
          tokenKinds: ['sts', 'entra'],
          scope: 'https://cognitiveservices.azure.us/.default',
          secret: 'speech-key',
        },
      ],
    },
    notes: [
      'Each resource says its hosts and its scope; everything else follows from the cloud (README.md, Sovereign clouds). For Azure in China: `azure.cn`.',
      'This was not tried in such a cloud.',
    ],
  },
  {
    wish: 'A signal transmitter',
    fragment: {
      transmitters: [
        {
          name: 'idp',
          issuer: 'https://idp.contoso.com',
          jwksUri: 'https://idp.contoso.com/keys',
          audience: 'https://broker.contoso.com/signals',
          tenants: ['home'],
        },
      ],
    },
    notes: [
      'It pushes Security Event Tokens to `POST /signals` (RFC 8935), and can end accesses of callers of `tenants`, never give any.',
      '`issuer` and `audience` are what its tokens say, letter by letter.',
    ],
  },
  {
    wish: 'An emergency stop',
    fragment: { grants: [] },
    notes: [
      'A policy without grants denies everything. It is in force when `PUT /operator/policy` returns.',
      'At once, on every instance: an operator blocks every tenant, and lifts it later ([the runbook](README.md#revoke-everything)). Tokens that are out live to their end.',
    ],
  },
];
