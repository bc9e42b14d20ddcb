/** What a publisher sends, read from the request. Nothing is decided here. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { MAX_APPLIED_POLICY_BYTES } from '../../body-limits.ts';
import { readReason } from '../../operations/operation.ts';
import { parseStrictObject } from '../../strict-json.ts';
import { problem } from '../problem.ts';
import { badRequest, NO_OBJECT } from './body.ts';
import { readPacked, tooLarge } from './packed.ts';

export interface Sent {
  /** The version that the author saw in force. */
  readonly expected: string;
  readonly change: { readonly policy: unknown } | { readonly patch: unknown };
  readonly reason: string;
  readonly commit: string | undefined;
  readonly confirm: readonly string[];
}

/** Eight megabytes of a policy have fewer. */
const MAX_VALUES = 600_000;
const VERSION = /^"([0-9a-f]{64})"$/;

export const applyRequest = z.strictObject({
  policy: z.looseObject({}).optional().describe('The whole policy, as infra/policy.schema.json has it.'),
  patch: z
    .array(z.looseObject({}))
    .optional()
    .describe('In place of `policy`: what changes in the one of If-Match, as RFC 6902 writes it.'),
  reason: z.string().describe('Why, in 1 to 256 characters.'),
  commit: z
    .string()
    .regex(/^[\w./:@+-]{1,128}$/, 'must be 1 to 128 characters without blanks')
    .optional()
    .describe('Where the change comes from, such as the SHA of a commit.'),
  confirm: z
    .array(z.string().max(512))
    .max(64)
    .optional()
    .describe('The names of the confirmations that the answer 409 has asked for.'),
});

export async function readSent(request: HttpRequest): Promise<Sent | HttpResponseInit> {
  const match = request.headers.get('if-match');
  if (match === null)
    return problem(
      428,
      'Precondition Required',
      'send If-Match with the ETag of the policy that you changed',
    );
  const expected = VERSION.exec(match)?.[1];
  if (expected === undefined)
    return badRequest(
      'If-Match must be one ETag as GET /operator/policy answers it: 64 hexadecimal digits in quotes',
    );
  const text = await readPacked(request, MAX_APPLIED_POLICY_BYTES);
  if (typeof text !== 'string') return tooLarge(MAX_APPLIED_POLICY_BYTES);
  const body = parseStrictObject(text, MAX_VALUES);
  if (body === 'unreadable') return badRequest(NO_OBJECT);
  const read = applyRequest.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    return badRequest(
      `${issue?.path.map(String).join('.') || 'the body'}: ${issue?.code === 'unrecognized_keys' ? 'a member that is not known' : issue?.message}`,
    );
  }
  const { policy, patch, commit, confirm = [] } = read.data;
  const reason = readReason(read.data.reason);
  if (typeof reason !== 'string') return badRequest(reason.problem);
  if ((policy === undefined) === (patch === undefined))
    return badRequest('the body has either policy or patch');
  // As it was sent: a parser may have put its members into another order.
  const change = patch === undefined ? { policy: body['policy'] } : { patch: body['patch'] };
  return { expected, change, reason, commit, confirm };
}
