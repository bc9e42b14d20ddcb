/** A policy with one resource of each sort, as JSON that tests bend. */
export const HOME = '00000000-0000-4000-8000-000000000001';
export const PARTNER = '00000000-0000-4000-8000-000000000002';
export const CAPTIONS = '00000000-0000-4000-8000-00000000000c';
export const RESEARCHERS = '00000000-0000-4000-8000-00000000000f';
const account = (name: string): string =>
  `/subscriptions/00000000-0000-4000-8000-00000000000a/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`;

export const samplePolicy = () => ({
  tenants: [
    { name: 'home', id: HOME },
    { name: 'partner', id: PARTNER },
  ],
  resources: [
    {
      name: 'speech',
      accountId: account('speech'),
      kind: 'SpeechServices',
      region: 'westeurope',
      endpoint: 'https://speech.example',
      regionalEndpoint: 'https://westeurope.example',
      tokenKinds: ['sts', 'entra'],
      secret: 'speech-key',
      rotation: {},
    },
    {
      name: 'chat',
      accountId: account('chat'),
      kind: 'OpenAI',
      region: 'westeurope',
      endpoint: 'https://chat.example',
      tokenKinds: ['entra', 'obo'],
    },
    {
      name: 'vision',
      accountId: account('vision'),
      kind: 'ComputerVision',
      region: 'westeurope',
      endpoint: 'https://vision.example',
      tokenKinds: ['entra'],
      identity: { kind: 'systemAssigned' },
      maxLifetime: '24h',
    },
  ] as Record<string, unknown>[],
  grants: [
    {
      name: 'captions',
      callers: [{ tenant: 'home', clientId: CAPTIONS, appRole: 'Token.Exchange' }],
      resources: ['speech'],
      tokenKinds: ['sts'],
      maxLifetime: '10m',
      rate: { count: 60, per: '1m' },
    },
    {
      name: 'people',
      callers: [{ tenant: 'home', group: RESEARCHERS, scope: 'Token.Exchange' }],
      resources: ['chat'],
      tokenKinds: ['obo', 'entra'],
      maxLifetime: '90m',
      rate: { count: 60, per: '1m' },
    },
  ] as Record<string, unknown>[],
});
