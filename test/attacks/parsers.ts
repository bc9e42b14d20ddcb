/** What every parser must do with whatever it is given: answer, or refuse in its own way; never throw anything else. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ConfigError, readIssuerConfig, readRotatorConfig } from '../../src/config.ts';
import { wire } from '../../src/denial.ts';
import { readTokenRequest } from '../../src/http/token-request.ts';
import { parseSchedule } from '../../src/local/host/schedule.ts';
import { scheduleProblem } from '../../src/ncrontab.ts';
import { loadPolicy, PolicyError } from '../../src/policy/load.ts';
import { compilePolicy } from '../../src/policy/match.ts';
import { issuerSettings, rotatorSettings } from '../../src/settings.ts';
import { parseStrictObject } from '../../src/strict-json.ts';
import { applicationClaims, goodHeader, signed } from '../exchange/entra-token.ts';
import { verifier } from '../exchange/verifier.ts';
import { HOME, samplePolicy } from '../policy/sample.ts';
import { createWorld, policy as revocationPolicy, signSet } from '../revocation/fakes.ts';
import { ACCESS_TOKEN, EXCHANGE } from './broker.ts';

export interface Parser {
  readonly what: string;
  readonly property: fc.IRawProperty<unknown, boolean>;
}

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const anyValue = fc.jsonValue({ maxDepth: 4 });
/** Something in a text replaced by something else. */
const cut = fc.tuple(fc.nat(), fc.nat({ max: 20 }), fc.string({ maxLength: 5 }));
function spliced(text: string, [at, length, by]: [number, number, string]): string {
  const from = at % (text.length + 1);
  return `${text.slice(0, from)}${by}${text.slice(from + length)}`;
}
/** One value anywhere in a tree replaced. `way` says where: at each level the member of that number. */
const replaced = fc.tuple(fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 5 }), anyValue);
function bent(value: unknown, [way, by]: [readonly number[], unknown]): unknown {
  const [first, ...rest] = way;
  if (first === undefined || typeof value !== 'object' || value === null) return by;
  const names = Object.keys(value);
  const name = names[first % Math.max(1, names.length)];
  if (name === undefined) return by;
  const inner = bent((value as Record<string, unknown>)[name], [rest, by]);
  return Array.isArray(value)
    ? value.map((one, index) => (String(index) === name ? inner : one))
    : { ...value, [name]: inner };
}
function fails(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const SECRET = `eyJhbGciOi${'x'.repeat(40)}`;
const parameter = fc.oneof(anyText, fc.constantFrom(SECRET, EXCHANGE, ACCESS_TOKEN, 'speech', 'sts', ''));
const parameterName = fc.oneof(
  fc.constantFrom(
    'grant_type',
    'subject_token',
    'subject_token_type',
    'resource',
    'audience',
    'scope',
    'token_kind',
  ),
  anyText,
);
const FORM = 'application/x-www-form-urlencoded';

const compiled = compilePolicy(loadPolicy(JSON.stringify(samplePolicy())));
const names = samplePolicy().resources.map(({ name }) => name);
const origins = samplePolicy().resources.flatMap((resource) =>
  'regionalEndpoint' in resource ? [resource.endpoint, resource.regionalEndpoint] : [resource.endpoint],
);
const urlPart = fc.oneof(
  fc.constantFrom(
    'https://',
    'http:',
    'speech.example',
    '@',
    ':443',
    '/',
    '..',
    '%2e',
    '#',
    '?',
    '\\',
    '\t',
    'evil.example',
    '。',
    '*',
  ),
  anyText,
);

const verify = verifier();
const goodToken = signed(goodHeader, applicationClaims);
const world = createWorld();
const react = (event: unknown): Promise<string> => world.revocation.react(event);
const eventTypes = [
  'AzureAiTokenBroker.RevocationRequested',
  'AzureAiTokenBroker.KeyLeaked',
  'Microsoft.KeyVault.SecretNewVersionCreated',
  'Microsoft.KeyVault.SecretExpired',
  'Microsoft.Resources.ResourceActionSuccess',
  'Microsoft.Graph.UserUpdated',
  'Microsoft.Graph.GroupDeleted',
];
const eventData = fc.oneof(
  anyValue,
  fc.record(
    {
      scope: fc.oneof(
        anyValue,
        fc.record({ kind: fc.constantFrom('token', 'user', 'grant'), name: anyText, uti: anyText }),
      ),
      notBefore: anyValue,
      reason: anyText,
      sha256: fc.oneof(anyText, fc.constant('0'.repeat(64))),
      ObjectName: fc.oneof(anyText, fc.constant('speech-prod-key')),
      operationName: fc.oneof(
        anyText,
        fc.constant('Microsoft.CognitiveServices/accounts/regenerateKey/action'),
      ),
      resourceUri: anyText,
      claims: anyValue,
      resourceData: anyValue,
    },
    { requiredKeys: [] },
  ),
);
const [transmitter] = revocationPolicy.transmitters;
const goodSet = {
  iss: transmitter?.issuer,
  aud: transmitter?.audience,
  jti: 'x',
  iat: 1_772_619_320,
  sub_id: { format: 'iss_sub', iss: `https://login.microsoftonline.com/${HOME}/v2.0`, sub: 'x' },
  events: { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': { event_timestamp: 1 } },
};

export const parsers: readonly Parser[] = [
  {
    what: 'strict JSON: one object that JSON.parse reads alike, or nothing',
    property: fc.property(fc.oneof(anyText, fc.json()), cut, fc.boolean(), (text, change, whole) => {
      const given = whole ? text : spliced(text, change);
      const read = parseStrictObject(given);
      if (read !== 'unreadable') assert.deepEqual(read, JSON.parse(given));
    }),
  },
  {
    what: 'a token request: read, or refused without repeating what may be a token',
    property: fc.property(
      fc.array(fc.tuple(parameterName, parameter), { maxLength: 8 }),
      fc.constantFrom(FORM, 'application/json', 'text/plain'),
      fc.option(fc.oneof(anyText, fc.constant(`Bearer ${SECRET}`)), { nil: undefined }),
      fc.option(cut, { nil: undefined }),
      (members, type, authorization, change) => {
        const body =
          type === FORM
            ? new URLSearchParams(
                members.map(([name, value]): [string, string] => [name.toWellFormed(), value.toWellFormed()]),
              ).toString()
            : JSON.stringify(Object.fromEntries(members));
        const headers = new Map([
          ['content-type', type],
          ...(authorization === undefined ? [] : [['authorization', authorization] as const]),
        ]);
        const read = readTokenRequest({
          headers: { get: (name) => headers.get(name) ?? null },
          body: change === undefined ? body : spliced(body, change),
        });
        if ('kind' in read) assert.ok(!JSON.stringify(wire(read)).includes(SECRET), 'it repeats a token');
      },
    ),
  },
  {
    what: 'an event, of any type and shape: handled or kept, never delivered again for its own sake',
    property: fc.asyncProperty(
      fc.oneof(
        anyValue,
        fc.record(
          {
            id: fc.oneof(anyText, anyValue),
            eventType: fc.oneof(fc.constantFrom(...eventTypes), anyText),
            subject: fc.oneof(anyText, anyValue),
            data: eventData,
          },
          { requiredKeys: [] },
        ),
      ),
      async (event) => {
        assert.equal(typeof (await react(event)), 'string');
      },
    ),
  },
  {
    what: 'a security event token: accepted, or refused with an error of RFC 8935',
    property: fc.asyncProperty(
      replaced,
      replaced,
      fc.option(cut, { nil: undefined }),
      async (header, claims, change) => {
        const token = signSet({
          header: bent({ typ: 'secevent+jwt', alg: 'RS256', kid: 'tx-2026-03' }, header) as Record<
            string,
            unknown
          >,
          payload: bent(goodSet, claims) as Record<string, unknown>,
        });
        const answer = await world.revocation.signal(change === undefined ? token : spliced(token, change));
        assert.ok(answer === 'accepted' || typeof answer.err === 'string');
      },
    ),
  },
  {
    what: 'a policy: loaded, or refused with every problem',
    property: fc.property(replaced, fc.option(cut, { nil: undefined }), (change, textChange) => {
      const text = JSON.stringify(bent(samplePolicy(), change)) ?? '';
      const error = fails(() => loadPolicy(textChange === undefined ? text : spliced(text, textChange)));
      assert.ok(error === undefined || error instanceof PolicyError, String(error));
    }),
  },
  {
    what: 'settings: read, or refused by name',
    property: fc.property(
      fc.dictionary(
        fc.constantFrom(...Object.keys({ ...issuerSettings.shape, ...rotatorSettings.shape })),
        fc.oneof(
          anyText,
          fc.webUrl({ withQueryParameters: true, withFragments: true }),
          fc.uuid(),
          fc.constantFrom('0', '1e3', 'true', 'NaN', '-1', '* * * * *', 'http://localhost', 'https://'),
        ),
      ),
      (environment) => {
        for (const read of [readIssuerConfig, readRotatorConfig]) {
          const error = fails(() => read(environment));
          assert.ok(error === undefined || error instanceof ConfigError, String(error));
        }
      },
    ),
  },
  {
    what: 'an NCRONTAB expression: what is accepted, a host can run',
    property: fc.property(
      fc.array(fc.stringMatching(/^[0-9*,/-]{1,6}$|^(jan|SUN|mon-fri|1-5\/2)$/), {
        minLength: 4,
        maxLength: 7,
      }),
      (fields) => {
        const text = fields.join(' ');
        if (scheduleProblem(text) !== undefined) return;
        const error = fails(() => parseSchedule(text, {}).next(0));
        assert.equal(error, undefined, `${text}: ${error}`);
      },
    ),
  },
  {
    what: "a target: nothing, or a resource whose name or endpoint's origin it is",
    property: fc.property(fc.array(urlPart, { maxLength: 6 }), (parts) => {
      const text = parts.join('');
      const found = compiled.target(text);
      if (found === undefined || names.includes(text)) return;
      assert.ok(
        origins.includes(new URL(text).origin) && origins.includes(new URL(found.endpoint).origin),
        text,
      );
    }),
  },
  {
    what: 'a token with another claim or header, well signed: a caller of the home tenant, or a fault',
    property: fc.asyncProperty(replaced, replaced, fc.boolean(), async (header, claims, both) => {
      const token = signed(
        both ? (bent(goodHeader, header) as object) : goodHeader,
        (bent(applicationClaims, claims) as object) ?? {},
      );
      const verdict = await verify(token);
      assert.ok('objectId' in verdict ? verdict.tenantId === HOME : verdict.kind === 'caller_unverified');
    }),
  },
  {
    what: 'a token with a byte changed: never accepted',
    property: fc.asyncProperty(cut, async (change) => {
      const token = spliced(goodToken, change);
      const verdict = await verify(token);
      if (token !== goodToken) assert.ok(!('objectId' in verdict), 'accepted');
    }),
  },
];
