/** Where a deployment is, and the addresses of its cloud. */
import { type Call, textOption } from '../command.ts';
import { CommandFailure } from '../failure.ts';

export interface Place {
  readonly subscription: string;
  readonly group: string;
}

const HOW =
  'Give both: --subscription ID --group NAME, or azd env get-values tells AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP.';

/**
 * The options, else the variables that azd sets. Somebody who asks as a person of the local mode means that.
 * @returns undefined where no deployment is named
 */
export function placeOf(env: Call['world']['env'], options: Call['options']): Place | undefined {
  const named = [textOption(options, 'subscription'), textOption(options, 'group')] as const;
  const isNamed = named.some((name) => name !== undefined);
  if (!isNamed && options.as !== undefined) return undefined;
  const subscription = named[0] ?? env['AZURE_SUBSCRIPTION_ID'];
  const group = named[1] ?? env['AZURE_RESOURCE_GROUP'];
  if (!isNamed && (subscription === undefined || group === undefined)) return undefined;
  if (subscription === undefined || group === undefined)
    throw new CommandFailure('usage', 'It is not said where the deployment is.', HOW);
  if (!/^[0-9a-f-]{36}$/i.test(subscription) || !/^[\w.()-]{1,90}$/.test(group))
    throw new CommandFailure('usage', 'That is no subscription id, or no name of a resource group.', HOW);
  return { subscription, group };
}

/** https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
const CLOUDS = {
  'login.microsoftonline.com': ['https://management.azure.com', 'https://graph.microsoft.com'],
  'login.microsoftonline.us': ['https://management.usgovcloudapi.net', 'https://graph.microsoft.us'],
  'login.partner.microsoftonline.cn': [
    'https://management.chinacloudapi.cn',
    'https://microsoftgraph.chinacloudapi.cn',
  ],
} as const;

export interface Cloud {
  /** Without a slash at its end, as are the others. */
  readonly authority: string;
  readonly arm: string;
  readonly graph: string;
}

/** The cloud of whoever is signed in, by the variable that Azure's libraries read. */
export function cloudOf(env: Call['world']['env']): Cloud {
  const authority = env['AZURE_AUTHORITY_HOST'] ?? '';
  const named = Object.keys(CLOUDS).find((host) => authority.includes(host)) as
    | keyof typeof CLOUDS
    | undefined;
  const host = named ?? 'login.microsoftonline.com';
  const [arm, graph] = CLOUDS[host];
  return { authority: `https://${host}`, arm, graph };
}
