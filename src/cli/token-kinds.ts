import type { BrokerTokenOptions } from '../client/broker-token.ts';
import type { Call } from './command.ts';

/** What `--kind` says. Commander has refused every kind that is not among the choices. */
export const kindOf = ({ kind }: Call['options']): BrokerTokenOptions['tokenKind'] =>
  kind as BrokerTokenOptions['tokenKind'];
