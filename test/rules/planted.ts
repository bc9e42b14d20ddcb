/** What the linter must refuse, one planted file each: every forbidden pair of rooms, and the machine's world. */

/** The rooms, and one file of each that others might be tempted to import. */
const ROOMS: Record<string, string> = {
  exchange: 'src/exchange/exchange.ts',
  rotation: 'src/rotation/rotate.ts',
  revocation: 'src/revocation/revocation.ts',
  'revocation/events': 'src/revocation/events/react.ts',
  'revocation/signals': 'src/revocation/signals/signals.ts',
  demand: 'src/demand/demand.ts',
  audit: 'src/audit/audit.ts',
  policy: 'src/policy/match.ts',
  facts: 'src/facts/storage.ts',
  azure: 'src/azure/state.ts',
  http: 'src/http/metadata.ts',
  'http/operator': 'src/http/operator/guard.ts',
  client: 'src/client/credential.ts',
  cli: 'src/cli/main.ts',
  'cli/commands': 'src/cli/commands/token.ts',
  console: 'src/console/api.ts',
  'console/parts': 'src/console/parts/time.ts',
  'console/views/accounts': 'src/console/views/accounts/view.ts',
  telemetry: 'src/telemetry/sdk.ts',
  local: 'src/local/main.ts',
  'local/host': 'src/local/host/host.ts',
  'local/simulated': 'src/local/simulated/start.ts',
  'functions/issuer': 'functions/issuer/token.ts',
  'functions/rotator': 'functions/rotator/rotate.ts',
  shared: 'src/ports.ts',
  issuer: 'src/issuer.ts',
  rotator: 'src/rotator.ts',
};

const FROM_CAPABILITY = ['policy', 'facts', 'shared'];
const CAPABILITIES = [
  'exchange',
  'rotation',
  'revocation',
  'revocation/events',
  'revocation/signals',
  'demand',
  'audit',
];

/** Who may import whom. Whatever is not named here is refused; `local/` is told apart below. */
const ALLOWED: Record<string, readonly string[]> = {
  exchange: ['exchange', ...FROM_CAPABILITY],
  rotation: ['rotation', ...FROM_CAPABILITY],
  revocation: ['revocation', 'revocation/events', 'revocation/signals', ...FROM_CAPABILITY],
  'revocation/events': ['revocation/events', 'revocation', ...FROM_CAPABILITY],
  'revocation/signals': ['revocation/signals', 'revocation', ...FROM_CAPABILITY],
  demand: ['demand', ...FROM_CAPABILITY],
  audit: ['audit', ...FROM_CAPABILITY],
  policy: ['policy', 'facts', 'shared'],
  facts: [],
  telemetry: ['telemetry', 'shared'],
  azure: [...CAPABILITIES, ...FROM_CAPABILITY],
  http: ['http', 'http/operator', ...CAPABILITIES, ...FROM_CAPABILITY],
  'http/operator': ['http/operator', 'http', ...CAPABILITIES, ...FROM_CAPABILITY],
  client: ['client'],
  cli: ['cli', 'cli/commands', 'client', ...FROM_CAPABILITY],
  'cli/commands': ['cli', 'cli/commands', 'client', ...FROM_CAPABILITY],
  console: ['console', 'console/parts', 'console/views/accounts'],
  'console/parts': ['console', 'console/parts'],
  'console/views/accounts': ['console', 'console/parts', 'console/views/accounts'],
  'functions/issuer': ['http', 'http/operator', 'issuer'],
  'functions/rotator': ['rotator'],
  shared: ['facts', 'shared'],
  // The two composition roots are files, not folders to plant a file in: ROOTS says what each may not join.
  issuer: [],
  rotator: [],
};

/** These the local mode may name the types of. */
const TYPES_ONLY = [...CAPABILITIES, 'azure', 'http', 'http/operator', 'client'];

export interface Planted {
  readonly path: string;
  readonly text: string;
  readonly what: string;
}

export function plantedImports(): Planted[] {
  const planted: Planted[] = [];
  const plant = (from: string, to: string, statement: string): void => {
    const folder = from === 'shared' ? 'src' : from.startsWith('functions/') ? from : `src/${from}`;
    const path = `${folder}/planted-${planted.length}.ts`;
    const target = ROOMS[to] ?? to;
    const steps = folder
      .split('/')
      .map(() => '..')
      .join('/');
    const relative = target.startsWith(`${folder}/`)
      ? target.replace(folder, '.')
      : shortest(folder, target, steps);
    planted.push({
      path,
      text: `${statement.replace('$', `'${relative}'`)}\n`,
      what: `${from} -> ${to}: ${statement}`,
    });
  };
  for (const [from, allowed] of Object.entries(ALLOWED)) {
    if (from === 'issuer' || from === 'rotator') continue;
    for (const to of Object.keys(ROOMS)) {
      if (allowed.includes(to)) continue;
      plant(from, to, 'import { x } from $;');
      plant(from, to, 'import type { X } from $;');
    }
  }
  for (const from of ['local', 'local/host', 'local/simulated'])
    for (const to of TYPES_ONLY) plant(from, to, 'import { x } from $;');
  for (const from of ['local', 'exchange', 'functions/issuer', 'functions/rotator', 'client'])
    for (const statement of ['import $;', 'export * from $;', 'export { x } from $;', 'await import($);'])
      plant(from, 'azure', statement);
  for (const from of ['local', 'local/host', 'local/simulated'])
    for (const root of ['issuer', 'rotator']) plant(from, root, 'import { x } from $;');
  // Round about: through an allowed folder into a forbidden one.
  for (const [from, to] of [
    ['shared', './facts/../azure/accounts.ts'],
    ['exchange', '../policy/../rotation/rotate.ts'],
    ['revocation/events', '../../policy/../azure/state.ts'],
    ['azure', '../policy/../http/metadata.ts'],
    ['http', '../policy/../azure/state.ts'],
  ] as const)
    planted.push({
      path:
        from === 'shared' ? `src/planted-${planted.length}.ts` : `src/${from}/planted-${planted.length}.ts`,
      text: `import { x } from '${to}';\n`,
      what: `${from} -> ${to}`,
    });
  return planted;
}

function shortest(folder: string, target: string, steps: string): string {
  const from = folder.split('/');
  const to = target.split('/');
  let same = 0;
  while (same < from.length && from[same] === to[same]) same += 1;
  return same === 0
    ? `${steps}/${target}`
    : [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/');
}

/** What code in an app could do, if its root joined it (invariant 11). */
const ROOTS: Record<'issuer' | 'rotator', readonly string[]> = {
  issuer: [
    './rotator.ts',
    './azure/accounts.ts',
    './azure/vault-writer.ts',
    './azure/key-proof.ts',
    './azure/rotation-store.ts',
    './demand/carry-out.ts',
    './revocation/watch.ts',
    './revocation/events/azure.ts',
    './rotation/rotate.ts',
    './rotation/retire.ts',
    './policy/../azure/accounts.ts',
    './local/launch.ts',
    './client/credential.ts',
    './cli/main.ts',
    './console/api.ts',
  ],
  rotator: [
    './issuer.ts',
    './http/token-endpoint.ts',
    './exchange/exchange.ts',
    './audit/audit.ts',
    './azure/audit-table.ts',
    './azure/entra-tokens.ts',
    './azure/queue.ts',
    './azure/signing-keys.ts',
    './azure/transmitter-keys.ts',
    './demand/place.ts',
    './revocation/revocation.ts',
    './revocation/events/react.ts',
    './revocation/signals/signals.ts',
    './policy/../http/token-endpoint.ts',
    './local/launch.ts',
    './client/credential.ts',
    './cli/main.ts',
    './console/api.ts',
  ],
};

/** A root as it is, with every import that it may not have. @param rootText what is in the file today */
export function plantedInRoots(root: keyof typeof ROOTS, rootText: string): Planted & { count: number } {
  const statements = ROOTS[root].flatMap((target, at) => [
    `import { x${at} } from '${target}';`,
    `export const z${at} = () => import('${target}');`,
  ]);
  return {
    path: `src/${root}.ts`,
    text: `${statements.join('\n')}\n${rootText}`,
    what: root,
    count: statements.length,
  };
}

/** Each in each capability. */
const WORLD = [
  "fetch('https://example.com');",
  'Date.now();',
  'const now = Date.now;',
  'new Date();',
  'Date();',
  'Math.random();',
  'const dice = Math.random;',
  "process.env['X'];",
  'setTimeout(() => {}, 1);',
  'setInterval(() => {}, 1);',
  'setImmediate(() => {});',
  'performance.now();',
  'crypto.randomUUID();',
  'globalThis.fetch;',
  "import { randomBytes } from 'node:crypto';",
  "import { setTimeout } from 'node:timers/promises';",
  "import process from 'node:process';",
  "import { request } from 'node:https';",
  "import { TableClient } from '@azure/data-tables';",
];

export function plantedWorld(): Planted[] {
  return CAPABILITIES.flatMap((room) =>
    WORLD.map((text, index) => ({
      path: `src/${room}/world-${index}.ts`,
      text: `${text}\nexport {};\n`,
      what: `${room}: ${text}`,
    })),
  );
}

/** A ring of values in one room, and a ring of types through two. */
export function plantedCycles(): Planted[] {
  const ring = (path: string, text: string): Planted => ({ path, text, what: `cycle: ${path}` });
  return [
    ring('src/exchange/ring-a.ts', "import { b } from './ring-b.ts';\nexport const a = () => b;\n"),
    ring('src/exchange/ring-b.ts', "import { a } from './ring-a.ts';\nexport const b = () => a;\n"),
    ring('src/revocation/ring-c.ts', "import type { D } from './events/ring-d.ts';\nexport type C = D;\n"),
    ring('src/revocation/events/ring-d.ts', "import type { C } from '../ring-c.ts';\nexport type D = C[];\n"),
  ];
}
