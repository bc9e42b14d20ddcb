/** The shape of a sender of Security Event Tokens, and of whom it may speak. */
import * as z from 'zod';
import { httpsUrl, name } from './formats.ts';

export const transmitter = z
  .strictObject({
    name: name.meta({ description: 'By which the log names the transmitter.', examples: ['idp'] }),
    issuer: z
      .url({
        error: ({ code }) => (code === 'invalid_type' ? undefined : 'must be an address, as in the token'),
      })
      .meta({ description: 'The `iss` of its tokens, exactly.', examples: ['https://idp.contoso.com'] }),
    jwksUri: httpsUrl.meta({
      description: 'The https address of its public keys.',
      examples: ['https://idp.contoso.com/keys'],
    }),
    audience: z
      .string()
      .min(1)
      .meta({
        description: 'The `aud` that its tokens have for this broker.',
        examples: ['https://broker.contoso.com'],
      }),
    streamId: z
      .string()
      .min(1)
      .meta({ description: 'The id of the stream, if tokens must carry it.', examples: ['stream-1'] })
      .optional(),
    profile: z
      .enum(['strict', 'lenient'])
      .meta({
        description:
          '`strict`: the Shared Signals Framework 1.0 to the letter. `lenient`: also what transmitters in use send beside it.',
        examples: ['strict'],
      })
      .default('strict'),
    verificationState: z
      .string()
      .min(1)
      .meta({
        description:
          'The `state` that a verification event must have, if one was requested from this transmitter (SSF 1.0).',
        examples: ['2026-11'],
      })
      .optional(),
    criticalSubjectMembers: z
      .array(z.string().min(1))
      .meta({
        description:
          "The transmitter's `critical_subject_members`: an event is ignored if it has one that the broker does not know.",
        examples: [['tenant']],
      })
      .default([]),
    tenants: z
      .array(name)
      .min(1)
      .meta({
        description: 'The names of the tenants about whose callers it may send events.',
        examples: [['home']],
      }),
  })
  .meta({ description: 'A sender of Security Event Tokens (Shared Signals, RFC 8935), which end accesses.' });
