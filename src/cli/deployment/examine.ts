/** The doctor of a deployment: looks, with the rights of whoever is signed in, and says what that means. */
import type { Api } from '../api.ts';
import { ownCredential } from '../session.ts';
import type { World } from '../world.ts';
import { azureReader } from './azure-reader.ts';
import type { Check } from './check.ts';
import { cloudOf, type Place } from './cloud.ts';
import { judge } from './judge.ts';
import { type Asked, lookAtDeployment } from './look.ts';

export async function examine(
  world: World,
  asked: Pick<Asked, 'place' | 'noApi' | 'policyFile' | 'nowMs'> & { readonly api: Api | undefined },
): Promise<readonly Check[]> {
  const cloud = cloudOf(world.env);
  const reader = (base: string) => azureReader(world, base, ownCredential(world, `${base}/.default`));
  return examineWith({ ...asked, cloud, arm: reader(cloud.arm), graph: reader(cloud.graph) });
}

export async function examineWith(asked: Asked): Promise<readonly Check[]> {
  const looked = await lookAtDeployment(asked);
  if ('seen' in looked) return judge(looked.seen);
  return [{ check: 'deployment', fine: false, says: looked.unseen, todo: adviceOn(asked.place) }];
}

const adviceOn = ({ subscription, group }: Place): string =>
  `az login, with the role Reader at the resource group. Is it there? az group show --subscription ${subscription} --name ${group}`;
