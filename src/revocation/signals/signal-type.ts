/**
 * Which events of CAEP 1.0 and RISC 1.0 make the broker refuse older tokens, which is all that it can do. By SSF 1.0
 * a signal is a statement and not a command, so the receiver decides; this table has the decisions.
 */
import * as z from 'zod';

export type Meaning =
  /** Tokens issued before the event are refused. */
  | { readonly means: 'revoke'; readonly atSeconds: number | undefined }
  | { readonly means: 'nothing' }
  | { readonly means: 'verification'; readonly state: string | undefined }
  | { readonly means: 'unknown' }
  | { readonly means: 'malformed'; readonly why: string };

type Payload = Readonly<Record<string, unknown>>;
interface Rule {
  /** The members that the event must have. Others are ignored. */
  readonly shape: z.ZodType;
  readonly revokes: (payload: Payload) => boolean;
}

const always = (): boolean => true;
const never = (): boolean => false;
const plain = z.object({});
const rule = (revokes: Rule['revokes'], shape: z.ZodType = plain): Rule => ({ shape, revokes });

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const VERIFICATION = new Set([
  'https://schemas.openid.net/secevent/ssf/event-type/verification',
  'https://schemas.openid.net/secevent/risc/event-type/verification',
]);

const RULES: ReadonlyMap<string, Rule> = new Map([
  [`${CAEP}session-revoked`, rule(always)],
  // Roles and groups are claims of the caller's token, so only a new token has the changed ones.
  [`${CAEP}token-claims-change`, rule(always, z.object({ claims: z.record(z.string(), z.unknown()) }))],
  [
    `${CAEP}credential-change`,
    rule(
      // A new credential does not make the tokens unsafe that were obtained with the older ones.
      ({ change_type }) => change_type !== 'create',
      z.object({
        credential_type: z.string().min(1),
        change_type: z.enum(['create', 'revoke', 'update', 'delete']),
      }),
    ),
  ],
  [
    `${CAEP}assurance-level-change`,
    rule(
      ({ change_direction }) => change_direction !== 'increase',
      z.object({ namespace: z.string().min(1), current_level: z.string().min(1) }),
    ),
  ],
  [
    `${CAEP}device-compliance-change`,
    rule(
      ({ current_status }) => current_status === 'not-compliant',
      z.object({
        previous_status: z.enum(['compliant', 'not-compliant']),
        current_status: z.enum(['compliant', 'not-compliant']),
      }),
    ),
  ],
  [
    `${CAEP}risk-level-change`,
    rule(
      ({ current_level }) => current_level === 'HIGH',
      z.object({ principal: z.string().min(1), current_level: z.enum(['LOW', 'MEDIUM', 'HIGH']) }),
    ),
  ],
  [`${CAEP}session-established`, rule(never)],
  [`${CAEP}session-presented`, rule(never)],
  [`${RISC}account-disabled`, rule(always)],
  [`${RISC}account-purged`, rule(always)],
  [`${RISC}account-credential-change-required`, rule(always)],
  [`${RISC}credential-compromise`, rule(always, z.object({ credential_type: z.string().min(1) }))],
  [`${RISC}sessions-revoked`, rule(always)],
  [`${RISC}identifier-recycled`, rule(always)],
  // Enabling an account does not undo a cut-off. The others concern identifiers and recovery, and no tokens.
  ...[
    'account-enabled',
    'identifier-changed',
    'opt-in',
    'opt-out-initiated',
    'opt-out-cancelled',
    'opt-out-effective',
    'recovery-activated',
    'recovery-information-changed',
  ].map((name): [string, Rule] => [`${RISC}${name}`, rule(never)]),
  ['https://schemas.openid.net/secevent/ssf/event-type/stream-updated', rule(never)],
]);

const timestamp = z.object({ event_timestamp: z.int().min(0).optional() });
const verification = z.object({ state: z.string().optional() });

export function meaningOf(type: string, payload: Payload): Meaning {
  if (VERIFICATION.has(type)) {
    const parsed = verification.safeParse(payload);
    return parsed.success
      ? { means: 'verification', state: parsed.data.state }
      : { means: 'malformed', why: 'state must be a text' };
  }
  const known = RULES.get(type);
  if (known === undefined) return { means: 'unknown' };
  const name = type.slice(type.lastIndexOf('/') + 1);
  const shape = known.shape.safeParse(payload);
  if (!shape.success)
    return {
      means: 'malformed',
      why: `${name}: ${shape.error.issues[0]?.path.join('.')} is missing or wrong`,
    };
  const at = timestamp.safeParse(payload);
  if (!at.success) return { means: 'malformed', why: `${name}: event_timestamp must be whole seconds` };
  return known.revokes(payload)
    ? { means: 'revoke', atSeconds: at.data.event_timestamp }
    : { means: 'nothing' };
}
