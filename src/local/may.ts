/** What the policy in force lets a caller of the demo set have. */
import { compilePolicy } from '../policy/match.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller } from '../ports.ts';
import { Secret } from '../secret.ts';
import { ACTS_AS, type TokenKind } from '../token-kind.ts';
import type { CallerDescription, DemoCaller } from './simulated/demo-directory.ts';

export interface DescribedCaller extends CallerDescription {
  /** The first kind is what comes without asking for one. */
  readonly may: readonly { readonly resource: string; readonly tokenKinds: readonly TokenKind[] }[];
}

export function describeCaller({ rights, ...caller }: DemoCaller, policy: Policy): DescribedCaller {
  const { options } = compilePolicy(policy);
  const shown: Caller = {
    ...caller,
    ...rights,
    kind: caller.kind === 'user' ? 'user' : 'application',
    uti: '',
    issuedAtSeconds: 0,
    expiresAtSeconds: 0,
    ...(caller.blueprintId !== undefined && {
      agent: {
        blueprintId: caller.blueprintId,
        actsFor: caller.kind === 'user' ? ('person' as const) : ('itself' as const),
      },
    }),
    token: new Secret(''),
  };
  const may = policy.resources.map((resource) => {
    const unasked = options(shown, resource, undefined).map(({ kind }) => kind);
    const asked = resource.tokenKinds.filter((kind) => options(shown, resource, kind).length > 0);
    const kinds = [...new Set([...unasked, ...asked])].filter(
      (kind) => ACTS_AS[kind] !== 'caller' || shown.kind === 'user',
    );
    return { resource: resource.name, tokenKinds: kinds };
  });
  return { ...caller, may: may.filter(({ tokenKinds }) => tokenKinds.length > 0) };
}
