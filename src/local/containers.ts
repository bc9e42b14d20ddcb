/** Makes the broker's container in Azurite, as the deployment does in Azure. */
import { PROOF_CONTAINER } from '../proof-container.ts';
import { accountSignature } from './account-signature.ts';

const CREATED = 201;
const EXISTS = 409;

/** `url` with the account's path. A container that exists stays as it is. */
export async function createContainersAt(url: string): Promise<void> {
  const answer = await fetch(`${url}/${PROOF_CONTAINER}?restype=container&${accountSignature()}`, {
    method: 'PUT',
    headers: { 'x-ms-version': '2021-12-02' },
  });
  const { status } = answer;
  await answer.body?.cancel();
  if (status !== CREATED && status !== EXISTS)
    throw new Error(`the container ${PROOF_CONTAINER} is not made: ${status}`);
}
