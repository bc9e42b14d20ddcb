/** `POST /operator/what-if`: replays the recorded requests of a span against a draft policy. */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import * as z from 'zod';
import { MAX_POLICY_BYTES } from '../../body-limits.ts';
import { createWhatIf } from '../../exchange/what-if.ts';
import { iso } from '../../iso.ts';
import { loadPolicy, PolicyError } from '../../policy/load.ts';
import { compilePolicy } from '../../policy/match.ts';
import type { ReadSpan } from '../../ports.ts';
import { AUDITOR } from '../../revocation/admit.ts';
import { withoutSecrets } from '../../secret.ts';
import { parseStrictObject } from '../../strict-json.ts';
import { problem } from '../problem.ts';
import { badRequest, json, NO_OBJECT } from './body.ts';
import { type Gate, guarded } from './gate.ts';
import { readPacked, tooLarge } from './packed.ts';

export interface WhatIfPorts {
  readonly gate: Gate;
  readonly readSpan: ReadSpan;
}

const instant = z.iso.datetime({ offset: true });
export const whatIfRequest = z.strictObject({
  policy: z.looseObject({}).describe('The whole draft, as infra/policy.schema.json has it.'),
  from: instant,
  to: instant,
});
const MAX_SPAN_MS = 31 * 86_400_000;
const MAX_PROBLEM_CHARACTERS = 4_000;
/** A policy of 256 KiB has some ten thousand of them. */
const MAX_VALUES = 20_000;

export function createWhatIfEndpoint({ gate, readSpan }: WhatIfPorts) {
  return guarded(
    gate,
    { role: AUDITOR, act: 'what-if' },
    async (request: HttpRequest): Promise<HttpResponseInit> => {
      const text = await readPacked(request, MAX_POLICY_BYTES);
      if (typeof text !== 'string') return tooLarge(MAX_POLICY_BYTES);
      const body = parseStrictObject(text, MAX_VALUES);
      if (body === 'unreadable') return badRequest(NO_OBJECT);
      const read = whatIfRequest.safeParse(body);
      if (!read.success)
        return badRequest('the body has exactly the members policy, from and to; times are RFC 3339');
      const [fromMs, toMs] = [Date.parse(read.data.from), Date.parse(read.data.to)];
      if (toMs < fromMs || toMs - fromMs > MAX_SPAN_MS)
        return badRequest('from and to must be in this order, and at most 31 days apart');
      try {
        const whatIf = createWhatIf(compilePolicy(loadPolicy(JSON.stringify(read.data.policy))));
        let last = '';
        const end = await readSpan(fromMs, toMs, (record) => {
          whatIf.add(record);
          last = record.at;
          return true;
        });
        return json(200, {
          ...whatIf.result(),
          ...(end === 'unfinished' && { until: last }),
          from: iso(fromMs),
          to: iso(toMs),
        });
      } catch (error) {
        if (!(error instanceof PolicyError)) throw error;
        const detail = withoutSecrets(error.message).slice(0, MAX_PROBLEM_CHARACTERS);
        return problem(422, 'Unprocessable Content', detail);
      }
    },
  );
}
