import * as z from 'zod';

/** RFC 9457. */
export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  correlation_id: z.string().describe('Under which the log and the audit have the request.'),
});
