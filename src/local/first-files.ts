/**
 * The files that `npm start` writes into its folder for a person's own shell and programs: `env.sh` and `env.ps1`
 * with the addresses and the certificate authority, `first-token.sh` and `first-token.ps1` that get a first token
 * and use it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { Description } from './launch.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/** Only this person may read them: the demo callers' secrets are in them. */
const mode = 0o600;

export function writeFirstFiles(description: Description, folder: string): void {
  // The simulated services' own authority alone would cut a program off from the rest of the world.
  const bundle = join(folder, 'ca-bundle.pem');
  writeFileSync(bundle, [readFileSync(description.ca, 'utf8'), ...getCACertificates('default')].join('\n'));
  const variables = Object.entries(environmentOf(description, bundle));
  const files = {
    'env.sh': variables.map(([name, value]) => `export ${name}=${bash(value)}\n`),
    'env.ps1': variables.map(([name, value]) => `$env:${name} = ${powerShell(value)}\n`),
    'first-token.sh': [firstTokenBash(description)],
    'first-token.ps1': [firstTokenPowerShell(description)],
  };
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(folder, name), lines.join(''), { mode });
}

/**
 * `AZURE_*` is what every Azure SDK's EnvironmentCredential takes: a program signs in as the demo's application.
 * Of the certificate variables, NODE_EXTRA_CA_CERTS is Node's, SSL_CERT_FILE what OpenSSL (and so .NET on Linux,
 * Python, Ruby) and Go take, REQUESTS_CA_BUNDLE that of Python's requests, CURL_CA_BUNDLE curl's.
 */
function environmentOf(description: Description, bundle: string): Record<string, string> {
  const { entra, broker, control } = description;
  const application = callerWith(description, ({ clientSecret }) => clientSecret !== undefined);
  return {
    BROKER: broker,
    BROKER_SCOPE: entra.scope,
    BROKER_CONTROL: control,
    ENTRA_TOKEN_URL: `${entra.authority}/${entra.tenantId}/oauth2/v2.0/token`,
    AZURE_AUTHORITY_HOST: entra.authority,
    AZURE_TENANT_ID: application.tenantId,
    AZURE_CLIENT_ID: application.clientId,
    AZURE_CLIENT_SECRET: application.clientSecret ?? '',
    NODE_EXTRA_CA_CERTS: description.ca,
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
  };
}

type Caller = Description['callers'][number];

/** The first such caller who may have something. A policy of one's own has at least one caller that may. */
function callerWith({ callers }: Description, fits: (caller: Caller) => boolean): Caller {
  const found = callers.find((caller) => fits(caller) && caller.may.length > 0) ?? callers.find(fits);
  if (found === undefined) throw new Error('no caller of the policy can sign in by itself');
  return found;
}

/** Who asks for what: a program and a person, each for the first thing that the policy gives them. */
function firstExchanges({ callers }: Description) {
  const asks = callers.flatMap((caller) => {
    const [first] = caller.may;
    const [kind] = first?.tokenKinds ?? [];
    return first === undefined || kind === undefined ? [] : [{ caller, resource: first.resource, kind }];
  });
  const byProgram = asks.find(
    ({ caller }) => caller.clientSecret !== undefined && caller.username === undefined,
  );
  const byPerson = asks.find(({ caller }) => caller.username !== undefined);
  return [byProgram, byPerson].filter((ask) => ask !== undefined);
}

/** The members of the request for a caller's own token, as any program sends them to Entra. */
const signIn = ({ clientId, clientSecret, username, password }: Caller, scope: string) =>
  username === undefined
    ? { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret ?? '', scope }
    : { grant_type: 'password', client_id: clientId, username, password: password ?? '', scope };

function firstTokenBash(description: Description): string {
  const { entra, broker, ca } = description;
  const steps = firstExchanges(description).map(({ caller, resource, kind }) => {
    const members = Object.entries(signIn(caller, entra.scope));
    const form = members.map(([name, value]) => `--data-urlencode ${bash(`${name}=${value}`)}`).join(' ');
    return `
echo ${bash(`${caller.name} signs in to Entra and asks the broker for a token for ${resource} (${kind}):`)}
CALLER_TOKEN=$(call ${bash(`${entra.authority}/${caller.tenantId}/oauth2/v2.0/token`)} ${form} |
  sed -E 's/.*"access_token": ?"([^"]+)".*/\\1/')
call ${bash(`${broker}/oauth2/token`)} -H "Authorization: Bearer $CALLER_TOKEN" \\
  -d grant_type=${tokenExchange} -d audience=${resource} -d token_kind=${kind}
echo
`;
  });
  return `#!/bin/sh
# Two first tokens, as a program and as a person get them.
set -eu
call() { curl -sS --cacert ${bash(ca)} "$@"; }
${steps.join('')}`;
}

function firstTokenPowerShell(description: Description): string {
  const { entra, broker } = description;
  const steps = firstExchanges(description).map(({ caller, resource, kind }) => {
    const members = Object.entries(signIn(caller, entra.scope));
    const form = members.map(([name, value]) => `${name} = ${powerShell(value)}`).join('; ');
    return `
Write-Output ${powerShell(`${caller.name} signs in to Entra and asks the broker for a token for ${resource} (${kind}):`)}
$callerToken = (Call ${powerShell(`${entra.authority}/${caller.tenantId}/oauth2/v2.0/token`)} @{ ${form} }).access_token
Call ${powerShell(`${broker}/oauth2/token`)} @{
  grant_type = '${tokenExchange}'; audience = '${resource}'; token_kind = '${kind}'
  subject_token = $callerToken; subject_token_type = '${accessToken}' }
`;
  });
  return `# Two first tokens, as a program and as a person get them (PowerShell 7).
# The certificates are made at each start, so this script does not check them.
function Call($Uri, $Body) { Invoke-RestMethod -SkipCertificateCheck -Method Post -Uri $Uri -Body $Body }
${steps.join('')}`;
}

const bash = (text: string) => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const powerShell = (text: string) => `'${text.replaceAll("'", "''")}'`;
