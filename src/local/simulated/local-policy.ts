/** A policy of one's own as the local mode has it in force: with the addresses of the simulated accounts. */
import * as z from 'zod';
import { loadPolicy } from '../../policy/load.ts';
import type { ResourceDescription } from './world.ts';

/** What is replaced; all the rest is handed on as it is in the file, so that the broker itself reads it. */
const policyFile = z.looseObject({
  resources: z.array(z.looseObject({ accountId: z.string(), regionalEndpoint: z.string().optional() })),
  transmitters: z.array(z.looseObject({})).optional(),
});

/**
 * @param text of the policy file
 * @param accounts the simulated ones; a resource is found by the ARM id of its account, so that it can be renamed
 * @param authority the address of the simulated Entra, whose keys stand for those of every transmitter
 * @throws PolicyError with every problem of the policy, and Error where the policy names an account that was not
 *   there when the local mode started
 */
export function localPolicy(
  text: string,
  accounts: readonly ResourceDescription[],
  authority: string,
): object {
  loadPolicy(text);
  const file = policyFile.parse(JSON.parse(text));
  const resources = file.resources.map((resource) => {
    const id = resource.accountId.toLowerCase();
    const account = accounts.find(({ accountId }) => accountId.toLowerCase() === id);
    if (account === undefined)
      throw new Error(`the account ${resource.accountId} is new in the policy: start the local mode again`);
    const { endpoint, regionalEndpoint } = account;
    const { regionalEndpoint: usesRegion } = resource;
    return { ...resource, endpoint, ...(usesRegion === undefined ? {} : { regionalEndpoint }) };
  });
  const jwksUri = `${authority}/common/discovery/v2.0/keys`;
  const transmitters = file.transmitters?.map((transmitter) => ({ ...transmitter, jwksUri }));
  return { ...file, resources, ...(transmitters === undefined ? {} : { transmitters }) };
}
