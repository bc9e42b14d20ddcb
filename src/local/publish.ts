/**
 * Puts a policy in force in the local mode, as a pipeline does it: over the broker's own API. What an earlier start with
 * the same folder had in force is in its tables, with the addresses that the simulated accounts had then.
 */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { DemoCaller } from './simulated/demo-directory.ts';

export interface Publisher {
  readonly broker: string;
  readonly authority: string;
  /** The scope of a token for the broker. */
  readonly scope: string;
  readonly callers: readonly DemoCaller[];
}
export interface Published {
  readonly version: string;
  /** The policy, as JSON. */
  readonly text: string;
  /** False: it was in force already. */
  readonly changed: boolean;
}

const inForceShape = z.looseObject({ version: z.string(), policy: z.looseObject({}) });
const problemShape = z.looseObject({
  detail: z.string(),
  problems: z.array(z.string()).optional(),
  confirmations: z.array(z.object({ name: z.string() })).optional(),
});

/**
 * @param wanted what is to be in force, given what is
 * @throws Error that says why the broker does not take it
 */
export async function publish(
  publisher: Publisher,
  reason: string,
  wanted: (inForce: object) => object,
): Promise<Published> {
  const authorization = `Bearer ${await tokenOf(publisher)}`;
  const url = `${publisher.broker}/operator/policy`;
  const answer = await fetch(url, { headers: { authorization } });
  if (!answer.ok)
    throw new Error(`the policy in force cannot be read: ${answer.status} ${await answer.text()}`);
  const inForce = inForceShape.parse(await answer.json());
  const policy = wanted(inForce.policy);
  const text = JSON.stringify(policy);
  // In whatever order their members are.
  if (isDeepStrictEqual(policy, inForce.policy)) return { version: inForce.version, text, changed: false };
  const put = async (confirm: readonly string[]): Promise<Published> => {
    const sent = await packed(JSON.stringify({ policy, reason, confirm }));
    const done = await fetch(url, {
      method: 'PUT',
      headers: {
        authorization,
        'if-match': `"${inForce.version}"`,
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body: sent,
    });
    const body: unknown = await done.json();
    if (done.ok)
      return { version: z.object({ version: z.string() }).parse(body).version, text, changed: true };
    const { detail, problems = [], confirmations = [] } = problemShape.parse(body);
    // Whoever names a file on the command line has said yes.
    if (done.status === 409 && confirmations.length > 0 && confirm.length === 0)
      return put(confirmations.map(({ name }) => name));
    throw new Error([`the policy is not in force: ${detail}`, ...problems].join('\n'));
  };
  return put([]);
}

async function packed(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

async function tokenOf({ authority, scope, callers }: Publisher): Promise<string> {
  const caller = callers.find(({ name }) => name === 'publisher');
  if (caller === undefined) throw new Error('this world has no publisher');
  const answer = await fetch(`${authority}/${caller.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: caller.clientId,
      client_secret: caller.clientSecret ?? '',
      scope,
    }),
  });
  return z.object({ access_token: z.string() }).parse(await answer.json()).access_token;
}
