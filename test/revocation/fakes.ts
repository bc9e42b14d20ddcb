/** A world in memory for the revocation: every port by hand, with a switch for each outage. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type Policy, policySchema } from '../../src/policy/schema.ts';
import type { Caller, IssuedRecord, Revocation, Snapshot } from '../../src/ports.ts';
import type { Entry } from '../../src/revocation/entry.ts';
import type {
  Directory,
  DirectoryUser,
  EventRecord,
  EventStore,
  GroupChange,
  KeyRotation,
  RevocationTable,
} from '../../src/revocation/ports.ts';
import { createRevocation, type RevocationDeps } from '../../src/revocation/revocation.ts';
import { createWatch, type WatchDeps } from '../../src/revocation/watch.ts';
import { Secret } from '../../src/secret.ts';
import { UpstreamFailure } from '../../src/upstream.ts';

export const HOME = '99999999-aaaa-4bbb-8ccc-dddddddddddd';
export const OTHER = '88888888-aaaa-4bbb-8ccc-dddddddddddd';
export const USER = '7d1c0c1e-5a0c-4a53-9b8e-0f5f0c6b7a11';
export const CLIENT = '2f2b5a3c-1111-4222-8333-abcdefabcdef';
export const GROUP = '44444444-aaaa-4bbb-8ccc-dddddddddddd';
export const ROTATOR = '55555555-aaaa-4bbb-8ccc-dddddddddddd';
export const ACCOUNT =
  '/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg-broker/providers/Microsoft.CognitiveServices/accounts/aoai-prod';
/** 2026-03-04T10:15:30Z, ten seconds after the sample events. */
export const START_MS = Date.UTC(2026, 2, 4, 10, 15, 30);

export const policy: Policy = policySchema.parse({
  tenants: [
    { name: 'home', id: HOME },
    { name: 'other', id: OTHER },
  ],
  resources: [
    {
      name: 'aoai',
      accountId: ACCOUNT,
      kind: 'OpenAI',
      region: 'westeurope',
      endpoint: 'https://aoai-prod.openai.azure.com',
      tokenKinds: ['entra', 'obo'],
      secret: 'aoai-prod-key',
      rotation: {},
    },
    {
      name: 'speech',
      accountId: ACCOUNT.replace('aoai-prod', 'speech-prod'),
      kind: 'SpeechServices',
      region: 'westeurope',
      endpoint: 'https://speech-prod.cognitiveservices.azure.com',
      tokenKinds: ['sts'],
      secret: 'speech-prod-key',
      rotation: {},
    },
    {
      name: 'face',
      accountId: ACCOUNT.replace('aoai-prod', 'face-prod'),
      kind: 'Face',
      region: 'westeurope',
      endpoint: 'https://face-prod.cognitiveservices.azure.com',
      tokenKinds: ['entra'],
    },
  ],
  grants: [
    {
      name: 'apps',
      callers: [{ tenant: 'home', appRole: 'Token.Exchange' }],
      resources: ['speech'],
      tokenKinds: ['sts'],
      maxLifetime: '10m',
      rate: { count: 100, per: '1m' },
    },
    {
      name: 'people',
      callers: [{ tenant: 'home', group: GROUP }],
      resources: ['*'],
      tokenKinds: ['entra', 'obo', 'sts'],
      maxLifetime: '2h',
      rate: { count: 100, per: '1m' },
    },
  ],
  transmitters: [
    {
      name: 'idp',
      issuer: 'https://idp.example.test/',
      jwksUri: 'https://idp.example.test/jwks.json',
      audience: 'https://broker.example.test/ssf',
      streamId: 'stream-5f2a',
      verificationState: 'c3RhdGUtMTIz',
      tenants: ['home'],
    },
    {
      name: 'easy',
      issuer: 'https://easy.example.test/',
      jwksUri: 'https://easy.example.test/jwks.json',
      audience: 'https://broker.example.test/ssf',
      profile: 'lenient',
      tenants: ['home', 'other'],
    },
  ],
});

export function caller(over: Partial<Caller> = {}): Caller {
  return {
    kind: 'user',
    tenantId: HOME,
    objectId: USER,
    clientId: CLIENT,
    uti: 'AAAABBBBCCCCDDDDEEEE',
    subject: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    issuedAtSeconds: START_MS / 1000 - 60,
    expiresAtSeconds: START_MS / 1000 + 3_600,
    scopes: ['Token.Exchange'],
    appRoles: [],
    groups: [GROUP],
    token: new Secret('a caller token'),
    ...over,
  };
}

/** RSA keys cost: one pair for all tests of a process. */
const transmitterKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const strangerKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });

export function signSet(
  set: { header: Record<string, unknown>; payload: Record<string, unknown> },
  by: 'transmitter' | 'stranger' = 'transmitter',
): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode(set.header)}.${encode(set.payload)}`;
  const key: KeyObject = (by === 'transmitter' ? transmitterKeys : strangerKeys).privateKey;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

export interface World extends ReturnType<typeof createWorld> {}

export function createWorld() {
  const entries = new Map<string, Entry>();
  const kept = new Map<string, { record: EventRecord; keepUntilMs: number }>();
  const deletedUsers = new Set<string>();
  const users = new Map<string, DirectoryUser>();
  const published = new Map<string, string>([
    ['aoai', '0123456789abcdef0123456789abcdef'],
    ['speech', 'ffff456789abcdef0123456789abcdef'],
  ]);
  const slots = new Map<string, { resource: string; slot: 'Key1' | 'Key2' }>();
  const issued = new Map<string, IssuedRecord>();
  const asked: string[] = [];
  const logged: string[] = [];
  const verified = new Map<string, Caller>();
  const down = new Set<'tables' | 'head' | 'graph' | 'arm' | 'queues' | 'transmitter' | 'rotation'>();
  let bumps = 0;
  let tableCalls = 0;
  let nowMs = START_MS;
  let userChanges: string[] = [];
  let groupChanges: GroupChange[] = [];
  let failAfter = Number.POSITIVE_INFINITY;

  const up = (service: 'tables' | 'graph' | 'arm' | 'queues' | 'transmitter'): void => {
    if (service === 'tables') {
      tableCalls += 1;
      failAfter -= 1;
      if (failAfter < 0) throw new UpstreamFailure('tables', 'is down');
    }
    if (down.has(service)) throw new UpstreamFailure(service, 'is down');
  };

  const table: RevocationTable = {
    async update(key, change) {
      up('tables');
      const current = entries.get(key);
      const next = change(current);
      await Promise.resolve();
      if (entries.get(key) !== current) return table.update(key, change);
      if (next !== undefined) entries.set(key, next);
      return next ?? current;
    },
    async list() {
      up('tables');
      return [...entries.values()];
    },
    async remove(key, isGone) {
      up('tables');
      const current = entries.get(key);
      if (current && isGone(current)) entries.delete(key);
    },
    trimLog: async () => 0,
  };
  const events: EventStore = {
    async keepFirst(kind, key, record, keepUntilMs) {
      up('tables');
      const id = `${kind} ${key}`;
      const first = kept.get(id);
      if (first === undefined) kept.set(id, { record, keepUntilMs });
      return first?.record ?? record;
    },
    async replace(kind, key, record, keepUntilMs) {
      up('tables');
      kept.set(`${kind} ${key}`, { record, keepUntilMs });
    },
    async find(kind, key) {
      up('tables');
      return kept.get(`${kind} ${key}`)?.record;
    },
    async list(kind, fromKey, most) {
      up('tables');
      const keys = [...kept.keys()].filter((id) => id.startsWith(`${kind} `) && id >= `${kind} ${fromKey}`);
      return keys
        .sort()
        .slice(0, most)
        .map((id) => kept.get(id)?.record ?? {});
    },
    async sweep(now) {
      up('tables');
      for (const [id, { keepUntilMs }] of kept) if (keepUntilMs < now) kept.delete(id);
    },
  };
  const directory: Directory = {
    async user(nameOrId) {
      up('graph');
      asked.push(`user ${nameOrId}`);
      return users.get(nameOrId) ?? 'absent';
    },
    async isDeleted(objectId) {
      up('graph');
      return deletedUsers.has(objectId);
    },
    async userChanges(cursor) {
      up('graph');
      if (cursor === 'too old') return 'expired';
      const items = cursor === undefined ? [] : userChanges;
      if (cursor !== undefined) userChanges = [];
      return { items, cursor: 'next', more: false };
    },
    async groupChanges(cursor) {
      up('graph');
      const items = cursor === undefined ? [] : groupChanges;
      if (cursor !== undefined) groupChanges = [];
      return { items, cursor: 'next', more: false };
    },
  };
  const demands = new Set<string>();
  const keys: KeyRotation = {
    async heal(resource) {
      up('arm');
      asked.push(`heal ${resource}`);
    },
    async retireNow(resource, { slot, emergency, demand }) {
      up('arm');
      if (down.has('rotation')) return { kind: 'notBegun', why: 'not adopted yet' };
      // As the rotation does: what is asked for again begins nothing.
      if (demand !== undefined && demands.has(demand)) return { kind: 'begun', why: '' };
      if (demand !== undefined) demands.add(demand);
      asked.push(`retire ${resource} ${slot ?? 'next'}${emergency ? ' emergency' : ''}`);
      // As the rotation does: the slot's key is another one then, and so is the published version.
      for (const [hash, at] of slots) if (at.resource === resource && at.slot === slot) slots.delete(hash);
      published.set(resource, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
      return { kind: 'begun', why: '' };
    },
    async findSlotByKeyHash(sha256) {
      up('arm');
      return slots.get(sha256);
    },
    async publishedVersion(resource) {
      return published.get(resource);
    },
  };

  const known = (): Snapshot => {
    const revocations = new Map<string, Revocation>(entries);
    return { version: String(bumps), revocations, slots: new Map(), policy: undefined };
  };
  const snapshot = async (): Promise<Snapshot> => {
    up('tables');
    return known();
  };
  const forwarded: string[] = [];
  let whileAsleep: () => Promise<void> = async () => undefined;
  const deps: RevocationDeps & WatchDeps = {
    policy: () => policy,
    homeTenantId: HOME,
    rotatorClientId: ROTATOR,
    entraIssuers: ['https://login.microsoftonline.com', 'https://sts.windows.net'],
    freshnessMs: 0,
    table,
    events,
    head: {
      async bump() {
        if (down.has('head')) throw new UpstreamFailure('tables', 'is down');
        up('tables');
        bumps += 1;
      },
    },
    issued: {
      async record(token) {
        issued.set(token.sha256, token);
      },
      async find(sha256) {
        up('tables');
        return issued.get(sha256);
      },
    },
    async sweepLedger(nowMs) {
      up('tables');
      for (const [key, { expiresAtMs }] of issued) if (expiresAtMs < nowMs) issued.delete(key);
    },
    directory,
    transmitterKeys: {
      async find(jwksUri, keyId) {
        up('transmitter');
        asked.push(`keys ${jwksUri}`);
        return keyId === 'tx-2026-03' ? publicKey : undefined;
      },
    },
    keys,
    toRotator: {
      async put(text) {
        up('queues');
        forwarded.push(text);
      },
    },
    isHandled: async (key) => (await events.find('handled', key)) !== undefined,
    verify: async (token) =>
      verified.get(token) ?? { kind: 'caller_unverified', fault: 'signature', hint: 'unexplained' },
    snapshot,
    known,
    mayHave: (who, resource) => resource === 'aoai' && who.groups.includes(GROUP),
    now: () => nowMs,
    sleep: async () => whileAsleep(),
    log: (event, fields) => logged.push(`${event} ${JSON.stringify(fields ?? {})}`),
  };
  return {
    deps,
    /** Both apps' parts; `react` is the rotator's, which handles every event. */
    revocation: bothOf(deps),
    /** The issuer's reaction, which passes on what is the rotator's. */
    reactAtIssuer: createRevocation(deps).react,
    forwarded,
    /** What happens whenever somebody waits. */
    meanwhile: (happens: () => Promise<void>) => {
      whileAsleep = happens;
    },
    entries,
    kept,
    users,
    deletedUsers,
    published,
    slots,
    issued,
    asked,
    logged,
    verified,
    down,
    snapshot,
    get bumps() {
      return bumps;
    },
    get tableCalls() {
      return tableCalls;
    },
    now: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms;
    },
    changeUsers: (...ids: string[]) => {
      userChanges = ids;
    },
    changeGroups: (...changes: GroupChange[]) => {
      groupChanges = changes;
    },
    /** Tables answer that many calls more, then fail. */
    failTablesAfter: (calls: number) => {
      failAfter = calls;
    },
    records: (kind: string) =>
      [...kept].filter(([id]) => id.startsWith(`${kind} `)).map(([, { record }]) => record),
  };
}

/** What both apps do of the revocation, in one. */
export function bothOf(deps: RevocationDeps & WatchDeps) {
  return { ...createRevocation(deps), ...createWatch(deps) };
}

const publicKey = await crypto.subtle.importKey(
  'jwk',
  transmitterKeys.publicKey.export({ format: 'jwk' }),
  { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  true,
  ['verify'],
);
/** As a transmitter publishes it. */
export const publicJwk = {
  ...transmitterKeys.publicKey.export({ format: 'jwk' }),
  kid: 'tx-2026-03',
  use: 'sig',
};

/** An operator's request, as the route carries it out. */
export async function revokeBy(
  {
    revocation: { operate },
    deps,
  }: { revocation: Pick<World['revocation'], 'operate'>; deps: World['deps'] },
  { reason = '', ...body }: Readonly<Record<string, unknown>>,
  who: string,
) {
  const order = operate.read(body);
  if ('kind' in order) return order;
  return operate.revoke(order, { who, id: crypto.randomUUID(), atMs: deps.now(), reason: String(reason) });
}
