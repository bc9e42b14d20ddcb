/** The policy of a running stack, read and changed over the API as a pipeline does it. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type { Stack } from './stack.ts';

export interface PolicySource {
  resources: Record<string, unknown>[];
  grants: (Record<string, unknown> & { name: string; resources: string[]; callers: object[] })[];
  [member: string]: unknown;
}
export interface PolicyAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}
export interface PolicyHand {
  read(): Promise<{ readonly version: string; readonly policy: PolicySource }>;
  put(
    body: Readonly<Record<string, unknown>>,
    expected: string,
    options?: { readonly dryRun?: boolean; readonly broker?: string },
  ): Promise<PolicyAnswer>;
  /** Changes what is in force. @returns the version */
  change(change: (policy: PolicySource) => void): Promise<string>;
  rollBack(version: string, broker?: string): Promise<PolicyAnswer>;
}

/** What a test changes may be of any size. */
const CONFIRMED = ['many-callers-touched', 'whole-tenant-gains'];

export async function policyHand(stack: Stack): Promise<PolicyHand> {
  const { broker: first } = stack.description;
  const bearer = async (name: string) => ({ authorization: `Bearer ${await stack.callerToken(name)}` });
  const [publisher, operator] = [await bearer('publisher'), await bearer('operator')];
  const answered = async (response: Response): Promise<PolicyAnswer> => ({
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
  });
  const hand: PolicyHand = {
    async read() {
      const { status, body } = await answered(
        await fetch(`${first}/operator/policy`, { headers: publisher }),
      );
      assert.equal(status, 200);
      return body as unknown as Awaited<ReturnType<PolicyHand['read']>>;
    },
    put: async (body, expected, { dryRun = false, broker = first } = {}) =>
      answered(
        await fetch(`${broker}/operator/policy${dryRun ? '?dryRun' : ''}`, {
          method: 'PUT',
          headers: {
            ...publisher,
            'if-match': `"${expected}"`,
            'content-type': 'application/json',
            'content-encoding': 'gzip',
          },
          body: gzipSync(JSON.stringify({ confirm: CONFIRMED, ...body })),
        }),
      ),
    async change(change) {
      const { version, policy } = await hand.read();
      change(policy);
      const answer = await hand.put({ policy, reason: 'a test' }, version);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return String(answer.body['version']);
    },
    rollBack: async (version, broker = first) =>
      answered(
        await fetch(`${broker}/operator/policy/rollback`, {
          method: 'POST',
          headers: { ...operator, 'content-type': 'application/json' },
          body: JSON.stringify({ version, reason: 'a test' }),
        }),
      ),
  };
  return hand;
}
