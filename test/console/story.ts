/** Something to look at: exchanges, refusals, a revocation, events, and one account whose keys were emergencies. */
import {
  callerNamed,
  callerToken,
  deliver,
  exchange,
  type LocalDescription,
  ownEvent,
} from '../local/local-mode.ts';

export interface Told {
  /** The correlation id of a refusal. */
  readonly refused: string;
  /** An operator's wish for a rotation, as the command makes it. */
  act(account: string): Promise<void>;
}

const GRANTED = [
  ['captions', 'speech', 14],
  ['translations', 'translator', 9],
  ['translations', 'vision', 4],
  ['nightly', 'chat', 5],
  ['ada', 'chat', 3],
] as const;
const REFUSED = [
  ['captions', 'chat'],
  ['nightly', 'translator'],
  ['outsider', 'speech'],
] as const;

export async function tell(description: LocalDescription): Promise<Told> {
  const { broker } = description;
  let refused = '';
  const ask = async (name: string, resource: string) =>
    exchange(broker, await callerToken(description, name), resource);
  for (const [name, resource, times] of GRANTED)
    for (let time = 0; time < times; time += 1) await ask(name, resource);
  for (const [name, resource] of REFUSED) {
    const { body } = await ask(name, resource);
    refused ||= String(body['correlation_id']);
  }
  const { tenantId, clientId } = callerNamed(description, 'nightly');
  const scope = { kind: 'client', tenantId, clientId };
  await deliver(broker, [
    ownEvent('RevocationRequested', { scope, block: true, reason: 'a laptop was stolen' }),
    ownEvent('RevocationRequested', { scope: { kind: 'moon' }, reason: 'nobody understands this one' }),
  ]);
  return {
    refused,
    async act(account) {
      await fetch(`${broker}/operator/accounts/${account}/rotate`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await callerToken(description, 'operator')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ reason: 'somebody left the team' }),
      });
    },
  };
}
