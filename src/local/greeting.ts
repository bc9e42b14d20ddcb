/** What `npm start` tells a person: what runs where, and commands that work as pasted. */
import { join } from 'node:path';
import type { Description } from './launch.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

export function greeting(description: Description, dataFolder: string): string {
  const { entra, resources, callers } = description;
  const logFile = logFileIn(dataFolder);
  const local = `--local ${bash(descriptionFileIn(dataFolder))}`;
  return `
The token broker is running, with an Azure of its own on this machine.

  broker         ${description.instances.join('  ')}
  Entra          ${entra.authority}/${entra.tenantId}
  Key Vault      ${description.keyVault}
  ARM            ${description.arm}
  Tables         ${description.tables}
  control        ${description.control}
  AI accounts    ${resources.map(({ name, endpoint }) => `${name} ${endpoint}`).join('\n                 ')}
  callers        ${callers.map(({ name }) => name).join(', ')}
  everything     ${dataFolder}

Follow each exchange in a second terminal:

  bash           tail -f ${bash(logFile)}
  PowerShell     Get-Content -Wait ${powerShell(logFile)}

Revoke somebody, and rotate a key, while it runs:

  npm run revoke -- --caller ada ${local}
  npm run rotation -- now speech ${local}

${bashCommands(description)}
${powerShellCommands(description)}
Ctrl-C ends it all.
`;
}

/** The callers and accounts of the demo that the commands use. */
function cast({ callers, resources }: Description) {
  const caller = (name: string) => {
    const found = callers.find((each) => each.name === name);
    if (!found) throw new Error(`the demo set has no caller '${name}'`);
    return found;
  };
  const account = (name: string) => {
    const found = resources.find((each) => each.name === name);
    if (!found) throw new Error(`the demo set has no resource '${name}'`);
    return found;
  };
  return {
    application: caller('translations'),
    user: caller('ada'),
    translator: account('translator'),
    chat: account('chat'),
  };
}

const translatePath = '/translator/text/v3.0/translate?api-version=3.0&to=de';
const chatBody = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}';

function bashCommands(description: Description): string {
  const { entra, broker, ca } = description;
  const { application, user, translator, chat } = cast(description);
  const tokenUrl = bash(`${entra.authority}/${entra.tenantId}/oauth2/v2.0/token`);
  return `bash: a program translates with a key-exchange token, a user chats with an Entra token

call() { curl -sS --cacert ${bash(ca)} "$@"; }
token() { sed -E 's/.*"access_token": ?"([^"]+)".*/\\1/'; }
exchange() {
  call ${broker}/oauth2/token -d grant_type=${tokenExchange} \\
    -d subject_token_type=${accessToken} -d subject_token="$1" -d resource="$2" -d token_kind="$3"
}
CALLER=$(call ${tokenUrl} \\
  -d grant_type=client_credentials -d scope=${bash(entra.scope)} \\
  -d client_id=${application.clientId} --data-urlencode client_secret=${bash(application.clientSecret ?? '')} | token)
TOKEN=$(exchange "$CALLER" ${translator.name} sts | token)
call ${bash(`${translator.endpoint}${translatePath}`)} \\
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '[{"Text":"Hello"}]'; echo

ADA=$(call ${tokenUrl} \\
  -d grant_type=password -d scope=${bash(entra.scope)} -d client_id=${user.clientId} \\
  --data-urlencode username=${bash(user.username ?? '')} --data-urlencode password=${bash(user.password ?? '')} | token)
TOKEN=$(exchange "$ADA" ${chat.name} obo | token)
call ${chat.endpoint}/openai/v1/chat/completions \\
  -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d ${bash(chatBody)}; echo
`;
}

function powerShellCommands(description: Description): string {
  const { entra, broker } = description;
  const { application, user, translator, chat } = cast(description);
  const tokenUrl = powerShell(`${entra.authority}/${entra.tenantId}/oauth2/v2.0/token`);
  // The certificates are made at each start, so the shell is told to take them.
  return `PowerShell 7: the same

function Call($Uri, $Body, $Headers = @{}, $ContentType = 'application/x-www-form-urlencoded') {
  Invoke-RestMethod -SkipCertificateCheck -Method Post -Uri $Uri -Body $Body -Headers $Headers -ContentType $ContentType }
function Exchange($Caller, $Resource, $Kind) { (Call ${powerShell(`${broker}/oauth2/token`)} @{
  grant_type = '${tokenExchange}'; subject_token_type = '${accessToken}'
  subject_token = $Caller; resource = $Resource; token_kind = $Kind }).access_token }

$caller = (Call ${tokenUrl} @{
  grant_type = 'client_credentials'; scope = ${powerShell(entra.scope)}
  client_id = '${application.clientId}'; client_secret = ${powerShell(application.clientSecret ?? '')} }).access_token
$token = Exchange $caller '${translator.name}' 'sts'
Call ${powerShell(`${translator.endpoint}${translatePath}`)} '[{"Text":"Hello"}]' @{ Authorization = "Bearer $token" } 'application/json'

$ada = (Call ${tokenUrl} @{
  grant_type = 'password'; scope = ${powerShell(entra.scope)}; client_id = '${user.clientId}'
  username = ${powerShell(user.username ?? '')}; password = ${powerShell(user.password ?? '')} }).access_token
$token = Exchange $ada '${chat.name}' 'obo'
Call ${powerShell(`${chat.endpoint}/openai/v1/chat/completions`)} ${powerShell(chatBody)} @{ Authorization = "Bearer $token" } 'application/json'
`;
}

const bash = (text: string) => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const powerShell = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The log that a second terminal follows. */
export const logFileIn = (dataFolder: string): string => join(dataFolder, 'broker.log');

/** What `--json` prints, for commands in a second terminal. */
export const descriptionFileIn = (dataFolder: string): string => join(dataFolder, 'description.json');
