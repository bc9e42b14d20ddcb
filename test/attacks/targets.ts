/** Targets in other spellings. Whatever is granted is good at an endpoint that the policy names, never at one of the caller's. */
import type { Attack } from './attack.ts';
import { type Broker, exchangeOf } from './broker.ts';

/** The caller may have `speech` and nothing else. */
const targets =
  (spell: (host: string, port: string, broker: Broker) => readonly string[]): Attack['send'] =>
  async (broker) => {
    const token = await broker.tokenOf('captions');
    const { hostname, port } = new URL(broker.endpointOf('speech'));
    return spell(hostname, port, broker).map((resource) => exchangeOf(token, { resource }));
  };
const refused = { statuses: [400] };

export const targetSpellings: readonly Attack[] = [
  {
    what: 'the endpoint in other spellings of the same URL: case, slash, dots, escapes, tabs, IDN',
    send: targets((host, port) => [
      `https://${host.toUpperCase()}:${port}/`,
      `HTTPS://${host}:${port}`,
      `https://${host}:${port}/./`,
      `https://${host}:${port}/x/..`,
      `https://${host}:${port}/%2e%2e/`,
      `https://%6cocalhost:${port}`,
      `https://ｌｏｃａｌｈｏｓｔ:${port}`,
      `https:\\\\${host}:${port}\\`,
      `https:${host}:${port}`,
      `https://${host}:0${port}`,
      ` https://${host}:${port} `,
      `ht\ttps://${host}:${port}`,
    ]),
    allowed: { statuses: [200, 400], granted: true },
  },
  {
    what: 'the endpoint with a user, another scheme or port, a query, a fragment, a path',
    send: targets((host, port) => [
      `https://x@${host}:${port}`,
      `https://${host}:${port}@evil.example`,
      `https://${host}.evil.example:${port}`,
      `https://evil.example#@${host}:${port}`,
      `https://evil.example/https://${host}:${port}`,
      `http://${host}:${port}`,
      `https://${host}`,
      `https://${host}:${port}/sts/v1.0/issueToken`,
      `https://${host}:${port}?x`,
      `https://${host}:${port}#x`,
      `//${host}:${port}`,
      `https://127.0.0.1:${port}`,
      `https://[::1]:${port}`,
      `https://${host}.:${port}`,
    ]),
    allowed: refused,
  },
  {
    what: 'resources of others, by name and endpoint',
    send: targets((_host, _port, broker) => ['chat', 'translator', 'documents', broker.endpointOf('chat')]),
    allowed: refused,
  },
  {
    what: 'names that are no names: in other case, patterns, lists, prototypes, very long',
    send: targets(() => [
      'Speech',
      'SPEECH',
      'speech ',
      'speech\u200b',
      'ѕpeech',
      'speec*',
      '*',
      'speech,chat',
      'speech chat',
      '__proto__',
      'constructor',
      'toString',
      'x'.repeat(20_000),
    ]),
    allowed: { ...refused, statuses: [400, 413] },
  },
];
