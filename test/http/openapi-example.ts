/**
 * An answer of a run as the OpenAPI document shows it: short, the same after each run, and without a key or a token,
 * even of the local mode. The demo set's own ids are the same in each run anyway.
 */

/** Members that hold a token, and those that Entra and the broker make anew each time in a form of their own. */
const SHOWN_AS: Readonly<Record<string, string | number>> = {
  access_token: 'TOKEN',
  speech_authorization: 'aad#RESOURCE_ID#TOKEN',
  instance: '5d1b4c7a-9e42-48a1-90b7-c5e013f6f2c9',
  uti: 'DqDO6JDc2dB7BYmUgJ9W3w',
  issuedAt: 1795683600,
};
const MADE: readonly (readonly [made: RegExp, shown: string])[] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '2026-11-26T09:00:00.000Z'],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d$/g, '2026-11-26T09:00'],
  [
    /\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g,
    '019abf6e-4a00-7c3d-9e15-b6f84a028e4d',
  ],
  [/\b[0-9a-f]{64}\b/g, '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  [/^[0-9a-f]{12}$/g, '9f86d081884c'],
  [/\b[0-9a-f]{32}\b/g, '019abf6e4a007c3d9e15b6f84a028e4d'],
  [/\b[0-9a-f]{16}\b/g, '9f86d081884c7d65'],
  [/localhost:\d+/g, 'localhost:7111'],
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:7071'],
];
/** So many of each list are enough to see its shape. */
const SHOWN = 1;

export function asExample(value: unknown): unknown {
  if (typeof value === 'string')
    return MADE.reduce((text, [made, shown]) => text.replace(made, shown), value);
  if (Array.isArray(value)) return value.slice(0, SHOWN).map(asExample);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, SHOWN_AS[name] ?? asExample(member)]),
  );
}
