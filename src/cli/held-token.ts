/** The tokens of a resource, as `token`, `run` and `proxy` hand them on. */
import {
  BrokerError,
  type BrokerToken,
  type BrokerTokenOptions,
  brokerToken,
  type GetOptions,
} from '../client/broker-token.ts';
import { CommandFailure } from './failure.ts';
import { PROGRAM } from './program-name.ts';
import type { Session } from './session.ts';
import type { World } from './world.ts';

export interface Supply {
  readonly resource: string;
  /** @throws BrokerError, CommandFailure */
  get(options?: GetOptions): Promise<BrokerToken>;
  /** When it ends, by the clock on the wall, which is what other programs count on. */
  wallExpiryMs(token: BrokerToken): number;
}

export function supply(
  { nowMs: wallMs, fetch }: Pick<World, 'nowMs' | 'fetch'>,
  { broker, token, nowMs, local }: Session,
  resource: string,
  tokenKind?: BrokerTokenOptions['tokenKind'],
): Supply {
  const get = brokerToken({
    issuer: broker,
    resource,
    nowMs,
    fetch,
    getCallerToken: (claims) => token('caller', claims),
    ...(tokenKind !== undefined && { tokenKind }),
  });
  return {
    resource,
    get: async (options) => {
      await local?.clock.sync();
      return get(options);
    },
    wallExpiryMs: ({ expiresAtMs }) =>
      wallMs() + (expiresAtMs - nowMs()) / (local === undefined ? 1 : local.clock.speed()),
  };
}

/** How a command ends that got no token. */
export function asFailure(error: unknown, resource: string): unknown {
  if (!(error instanceof BrokerError)) return error;
  const { code, message, status, correlationId } = error;
  if (code === 'temporarily_unavailable')
    return new CommandFailure(
      'unreachable',
      message,
      'Try again; /health of the broker says whether it is up.',
    );
  if (code === 'not_a_broker' || code === 'certificate_refused')
    return new CommandFailure('unreachable', message);
  const asks =
    correlationId === undefined ? 'whoami tells who you are.' : `explain ${correlationId} tells why.`;
  return new CommandFailure(
    status === 401 ? 'notAllowed' : 'failed',
    `No token for ${resource}: ${message}`,
    `${PROGRAM} ${asks}`,
  );
}
