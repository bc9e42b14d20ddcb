/** `run RESOURCE... -- CMD...`: a program whose Azure SDK gets its tokens from the broker, unchanged. */
import { randomBytes } from 'node:crypto';
import type { Call } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { asFailure, supply } from '../held-token.ts';
import { bundleBeside } from '../local-mode.ts';
import { identityEndpoint, PATH } from '../loopback/identity-endpoint.ts';
import { listen } from '../loopback/listen.ts';
import { PROGRAM } from '../program-name.ts';
import { runProgram } from '../program-run.ts';
import { openSession, type Session } from '../session.ts';
import { kindOf } from '../token-kinds.ts';

export async function run({ world, args, options, program }: Call): Promise<number> {
  if (program.length === 0)
    throw new CommandFailure(
      'usage',
      'No program is named.',
      `${PROGRAM} run ${args.join(' ')} -- node app.js`,
    );
  const session = await openSession(world, options);
  const kind = kindOf(options);
  const supplies = [...new Set(args)].map((resource) => supply(world, session, resource, kind));
  // Whoever may not have a token is told before the program runs, not in the middle of it.
  await Promise.all(
    supplies.map((each) =>
      each.get().catch((error: unknown) => {
        throw asFailure(error, each.resource);
      }),
    ),
  );
  const secret = randomBytes(32).toString('base64url');
  const listener = await listen(0, identityEndpoint(supplies, secret));
  try {
    const endpoint = `http://127.0.0.1:${listener.port}${PATH}`;
    return await runProgram(world, program, childEnvironment(world.env, session, { endpoint, secret }));
  } finally {
    await listener[Symbol.asyncDispose]();
  }
}

/**
 * How this command itself signed in: the program would use it before it asks the endpoint, and has no need of it.
 * Beside it what makes an SDK take another host for the place it runs at.
 */
const TAKEN_OUT = [
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_CLIENT_CERTIFICATE_PASSWORD',
  'AZURE_CLIENT_SEND_CERTIFICATE_CHAIN',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_USERNAME',
  'AZURE_PASSWORD',
  'IDENTITY_SERVER_THUMBPRINT',
  'IMDS_ENDPOINT',
  'MSI_ENDPOINT',
  'MSI_SECRET',
];

function childEnvironment(
  env: Call['world']['env'],
  { local }: Session,
  { endpoint, secret }: { readonly endpoint: string; readonly secret: string },
): Record<string, string | undefined> {
  const kept = Object.fromEntries(
    Object.entries(env).filter(([name]) => !TAKEN_OUT.includes(name.toUpperCase())),
  );
  return {
    ...kept,
    ...(local !== undefined && trusted(bundleBeside(local.file))),
    IDENTITY_ENDPOINT: endpoint,
    IDENTITY_HEADER: secret,
    // DefaultAzureCredential then asks this endpoint alone, and nobody else who may be signed in.
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    // A proxy of the machine would send what is for 127.0.0.1 elsewhere.
    NO_PROXY: withLoopback(env['NO_PROXY']),
    no_proxy: withLoopback(env['no_proxy']),
  };
}

/**
 * The simulated accounts have certificates of an authority that only this machine knows. The bundle holds it beside the
 * machine's own, so it takes the place of a file that the environment names.
 */
function trusted(bundle: string): Record<string, string> {
  return {
    NODE_EXTRA_CA_CERTS: bundle,
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
  };
}

const withLoopback = (known = ''): string =>
  [...new Set([...known.split(',').filter((each) => each !== ''), '127.0.0.1', 'localhost'])].join(',');
