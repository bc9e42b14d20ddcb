/**
 * The files that `npm start` writes into its folder for a person's own shell and programs: `env.sh` and `env.ps1`
 * with the addresses and the certificate authority, `first-token.sh` and `first-token.ps1` that get a first token
 * and use it, `operator.sh` that signs an operator in.
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
    'operator.sh': [operatorBash(description, folder)],
  };
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(folder, name), lines.join(''), { mode });
}

/**
 * `AZURE_*` is what every Azure SDK's EnvironmentCredential takes: a program signs in as the first application that may
 * have something.
 * Of the certificate variables, NODE_EXTRA_CA_CERTS is Node's, SSL_CERT_FILE what OpenSSL (and so .NET on Linux,
 * Python, Ruby) and Go take, REQUESTS_CA_BUNDLE that of Python's requests, CURL_CA_BUNDLE curl's.
 */
function environmentOf(description: Description, bundle: string): Record<string, string> {
  const { entra, broker, control, callers } = description;
  const application = callers.find(
    (caller) => caller.kind !== 'agent' && caller.clientSecret !== undefined && caller.may.length > 0,
  );
  return {
    AZURE_AI_TOKEN_BROKER: broker,
    BROKER: broker,
    BROKER_SCOPE: entra.scope,
    BROKER_CONTROL: control,
    ENTRA_TOKEN_URL: `${entra.authority}/${application?.tenantId ?? entra.tenantId}/oauth2/v2.0/token`,
    AZURE_AUTHORITY_HOST: entra.authority,
    // Empty where the policy gives no application anything, so that none of an earlier start is left.
    AZURE_TENANT_ID: application?.tenantId ?? entra.tenantId,
    AZURE_CLIENT_ID: application?.clientId ?? '',
    AZURE_CLIENT_SECRET: application?.clientSecret ?? '',
    NODE_EXTRA_CA_CERTS: description.ca,
    SSL_CERT_FILE: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
  };
}

type Caller = Description['callers'][number];

/** One call of each kind of account that shows a token at work, and the member of its answer that shows it. */
const CALLS: Readonly<
  Record<string, { readonly path: string; readonly body: string; readonly shows: string }>
> = {
  TextTranslation: {
    path: '/translator/text/v3.0/translate?api-version=3.0&to=de',
    body: '[{"Text":"Hello"}]',
    shows: 'text',
  },
  OpenAI: {
    path: '/openai/v1/chat/completions',
    body: '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}',
    shows: 'content',
  },
};

/**
 * Who asks for what: a program and a person, each for something that the policy gives them, an account that the
 * script can call before any other.
 */
function firstExchanges({ callers, resources }: Description) {
  const asks = callers.flatMap((caller) =>
    caller.may.flatMap(({ resource, tokenKinds: [kind] }) => {
      const account = resources.find(({ name }) => name === resource);
      return account === undefined || kind === undefined ? [] : [{ caller, account, kind }];
    }),
  );
  const best = (fits: (caller: Caller) => boolean) => {
    const fitting = asks.filter(({ caller }) => fits(caller));
    return fitting.find(({ account }) => account.kind in CALLS) ?? fitting[0];
  };
  const byProgram = best(
    // An agent needs two steps to sign in.
    ({ username, clientSecret, kind }) =>
      kind !== 'agent' && username === undefined && clientSecret !== undefined,
  );
  const byPerson = best(({ username }) => username !== undefined);
  return [byProgram, byPerson].filter((ask) => ask !== undefined);
}

/** The members of the request for a caller's own token, as any program sends them to Entra. */
const signIn = ({ clientId, clientSecret, username, password }: Caller, scope: string) =>
  username === undefined
    ? { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret ?? '', scope }
    : { grant_type: 'password', client_id: clientId, username, password: password ?? '', scope };

/** Where the policy has no grant that somebody who signs in fits. */
const NOBODY =
  'No caller of this policy may have a token: its grants give nobody anything. Add a grant and start again.';

function firstTokenBash(description: Description): string {
  const { entra, broker, ca } = description;
  const steps = firstExchanges(description).map(({ caller, account, kind }) => {
    const members = Object.entries(signIn(caller, entra.scope));
    const use = CALLS[account.kind];
    const form = members.map(([name, value]) => `--data-urlencode ${bash(`${name}=${value}`)}`).join(' ');
    return `
echo ${bash(`${caller.name} signs in to Entra, then asks the broker for ${account.name} (${kind}):`)}
CALLER_TOKEN=$(call ${bash(`${entra.authority}/${caller.tenantId}/oauth2/v2.0/token`)} ${form} | token)
ANSWER=$(call ${bash(`${broker}/oauth2/token`)} -H "Authorization: Bearer $CALLER_TOKEN" \\
  -d grant_type=${tokenExchange} -d audience=${account.name} -d token_kind=${kind})
show "$ANSWER"
${
  use === undefined
    ? ''
    : `echo ${bash(`${account.name}, called with that token:`)}
call ${bash(`${account.endpoint}${use.path}`)} -H "Authorization: Bearer $(echo "$ANSWER" | token)" \\
  -H 'Content-Type: application/json' -d ${bash(use.body)} |
  sed -E 's/.*("${use.shows}": ?"[^"]*").*/\\1/'
echo
`
}`;
  });
  return `#!/bin/sh
# Two first tokens, as a program and as a person get them.
set -eu
call() { curl -sS --cacert ${bash(ca)} "$@"; }
token() { sed -E 's/.*"access_token": ?"([^"]+)".*/\\1/'; }
# Of an answer with a token, what fits on a screen; of any other, all.
show() {
  case "$1" in *'"access_token"'*) ;; *) echo "$1"; return ;; esac
  for member in access_token token_kind expires_in endpoint revocation; do
    echo "$1" | sed -nE 's/.*"'$member'": ?("[^"]*"|[0-9]+).*/'$member': \\1/p'
  done | tr -d '"' | sed -E '/^access_token/s/(.{30}).*/\\1…/'
}
${steps.join('') || `echo ${bash(NOBODY)}\n`}`;
}

/**
 * For the blocks of the runbook (infra/README.md): the operator's token, and somebody and something of this policy to
 * try them on. A role of the broker is the home tenant's own, so the operator is of that tenant.
 */
function operatorBash({ entra, callers, resources }: Description, folder: string): string {
  const operator = callers.find(({ name }) => name === 'operator');
  const person = callers.find(({ username, may }) => username !== undefined && may.length > 0);
  const account = resources.find(({ secret }) => secret !== undefined);
  const form = operator && Object.entries(signIn(operator, entra.scope));
  const members = form?.map(([name, value]) => `--data-urlencode ${bash(`${name}=${value}`)}`).join(' ');
  const examples = {
    TENANT: person?.tenantId ?? entra.tenantId,
    PERSON: person?.objectId ?? '',
    ACCOUNT: account?.name ?? '',
    POLICY: join(folder, 'policy.json'),
  };
  return `# An operator's shell, for the runbook in infra/README.md: . operator.sh
. ${bash(join(folder, 'env.sh'))}
export BROKER_TOKEN=$(curl -sS ${bash(`${entra.authority}/${entra.tenantId}/oauth2/v2.0/token`)} ${members} |
  sed -E 's/.*"access_token": ?"([^"]+)".*/\\1/')
${Object.entries(examples)
  .map(([name, value]) => `export ${name}=${bash(value)}`)
  .join('\n')}
export APPLICATION="$AZURE_CLIENT_ID"
`;
}

function firstTokenPowerShell(description: Description): string {
  const { entra, broker } = description;
  const steps = firstExchanges(description).map(({ caller, account, kind }) => {
    const members = Object.entries(signIn(caller, entra.scope));
    const use = CALLS[account.kind];
    const form = members.map(([name, value]) => `${name} = ${powerShell(value)}`).join('; ');
    return `
Write-Output ${powerShell(`${caller.name} signs in to Entra and asks the broker for a token for ${account.name} (${kind}):`)}
$callerToken = (Call ${powerShell(`${entra.authority}/${caller.tenantId}/oauth2/v2.0/token`)} @{ ${form} }).access_token
$answer = Call ${powerShell(`${broker}/oauth2/token`)} @{
  grant_type = '${tokenExchange}'; audience = '${account.name}'; token_kind = '${kind}'
  subject_token = $callerToken; subject_token_type = '${accessToken}' }
$answer | Select-Object -ExcludeProperty access_token | ConvertTo-Json
${
  use === undefined
    ? ''
    : `Write-Output ${powerShell(`${account.name}, called with that token:`)}
Call ${powerShell(`${account.endpoint}${use.path}`)} ${powerShell(use.body)} @{
  Authorization = "Bearer $($answer.access_token)" } 'application/json' | ConvertTo-Json -Depth 9
`
}`;
  });
  return `# Two first tokens, as a program and as a person get them (PowerShell 7).
# The certificates are made at each start, so this script does not check them.
function Call($Uri, $Body, $Headers = @{}, $ContentType = 'application/x-www-form-urlencoded') {
  Invoke-RestMethod -SkipCertificateCheck -Method Post -Uri $Uri -Body $Body -Headers $Headers -ContentType $ContentType }
${steps.join('') || `Write-Output ${powerShell(NOBODY)}\n`}`;
}

const bash = (text: string) => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const powerShell = (text: string) => `'${text.replaceAll("'", "''")}'`;
