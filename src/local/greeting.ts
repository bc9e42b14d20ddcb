/** What `npm start` tells a person: what runs where, and commands that work as pasted. */
import { join } from 'node:path';
import type { Description } from './launch.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

export function greeting(description: Description, dataFolder: string, logFile: string): string {
  const { entra, resources, callers } = description;
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
  const read = `sed -E 's/.*"access_token": ?"([^"]+)".*/\\1/'`;
  const post = `curl -sS --cacert ${bash(ca)}`;
  const tokenUrl = bash(`${entra.authority}/${entra.tenantId}/oauth2/v2.0/token`);
  const exchange = (caller: string, resource: string, kind: string) =>
    `${post} ${bash(`${broker}/oauth2/token`)} -d grant_type=${tokenExchange} \\
  -d subject_token_type=${accessToken} --data-urlencode "subject_token=$${caller}" \\
  -d resource=${resource} -d token_kind=${kind}`;
  return `bash: a program translates with a key-exchange token, a user chats with an Entra token

CALLER=$(${post} ${tokenUrl} -d grant_type=client_credentials -d client_id=${application.clientId} \\
  --data-urlencode client_secret=${bash(application.clientSecret ?? '')} --data-urlencode scope=${bash(entra.scope)} | ${read})
TOKEN=$(${exchange('CALLER', translator.name, 'sts')} | ${read})
${post} ${bash(`${translator.endpoint}${translatePath}`)} -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -d '[{"Text":"Hello"}]'; echo

USER_TOKEN=$(${post} ${tokenUrl} -d grant_type=password -d client_id=${user.clientId} \\
  --data-urlencode username=${bash(user.username ?? '')} --data-urlencode password=${bash(user.password ?? '')} \\
  --data-urlencode scope=${bash(entra.scope)} | ${read})
TOKEN=$(${exchange('USER_TOKEN', chat.name, 'obo')} | ${read})
${post} ${bash(`${chat.endpoint}/openai/v1/chat/completions`)} -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' -d ${bash(chatBody)}; echo
`;
}

function powerShellCommands(description: Description): string {
  const { entra, broker } = description;
  const { application, user, translator, chat } = cast(description);
  const tokenUrl = powerShell(`${entra.authority}/${entra.tenantId}/oauth2/v2.0/token`);
  // The certificates are made at each start, so the shell is told to take them on loopback.
  const call = 'Invoke-RestMethod -SkipCertificateCheck';
  const exchange = (caller: string, resource: string, kind: string) =>
    `(${call} -Method Post ${powerShell(`${broker}/oauth2/token`)} -Body @{
  grant_type = '${tokenExchange}'; subject_token = $${caller}
  subject_token_type = '${accessToken}'; resource = '${resource}'; token_kind = '${kind}' }).access_token`;
  return `PowerShell 7: the same

$caller = (${call} -Method Post ${tokenUrl} -Body @{ grant_type = 'client_credentials'
  client_id = '${application.clientId}'; client_secret = ${powerShell(application.clientSecret ?? '')}; scope = ${powerShell(entra.scope)} }).access_token
$token = ${exchange('caller', translator.name, 'sts')}
${call} -Method Post ${powerShell(`${translator.endpoint}${translatePath}`)} \`
  -Headers @{ Authorization = "Bearer $token" } -ContentType application/json -Body '[{"Text":"Hello"}]'

$user = (${call} -Method Post ${tokenUrl} -Body @{ grant_type = 'password'
  client_id = '${user.clientId}'; username = ${powerShell(user.username ?? '')}
  password = ${powerShell(user.password ?? '')}; scope = ${powerShell(entra.scope)} }).access_token
$token = ${exchange('user', chat.name, 'obo')}
${call} -Method Post ${powerShell(`${chat.endpoint}/openai/v1/chat/completions`)} \`
  -Headers @{ Authorization = "Bearer $token" } -ContentType application/json -Body ${powerShell(chatBody)}
`;
}

const bash = (text: string) => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const powerShell = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The log that a second terminal follows. */
export const logFileIn = (dataFolder: string): string => join(dataFolder, 'broker.log');
