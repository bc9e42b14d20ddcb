/** What the use of a span says about accounts, grants and callers. Pure. */
import { compilePolicy } from '../policy/match.ts';
import type { Policy } from '../policy/schema.ts';
import type { Caller } from '../ports.ts';
import type { Account } from '../rotation/shown.ts';
import { Secret } from '../secret.ts';
import type { AuditItem } from './outstanding.ts';

export interface Use {
  readonly caller: { readonly tenantId: string; readonly clientId: string; readonly objectId: string };
  readonly resource: string;
  readonly tokenKind: string;
  readonly grant: string;
  readonly count: number;
  readonly claims?: NonNullable<AuditItem['claims']>;
}
export type Granted = Map<string, Use>;

export interface Advice {
  /** Nobody took a token that is bought with a key: disableLocalAuth would be missed by nobody here. */
  readonly keysNobodyNeeds: readonly string[];
  readonly keysOfUnknownAge: readonly { readonly account: string; readonly slot: string }[];
  /** Absent without the policy. */
  readonly grantsNobodyUsed?: readonly string[];
  readonly callersWithMoreThanTheyUse?: readonly {
    readonly objectId: string;
    readonly clientId: string;
    readonly uses: readonly string[];
    readonly unused: readonly string[];
  }[];
}

export function adviceFrom(
  accounts: readonly Account[],
  granted: Granted,
  policy: Policy | undefined,
): Advice {
  const uses = [...granted.values()];
  const bought = new Set(uses.flatMap(({ tokenKind, resource }) => (tokenKind === 'sts' ? [resource] : [])));
  return {
    keysNobodyNeeds: accounts.filter(({ name }) => !bought.has(name)).map(({ name }) => name),
    keysOfUnknownAge: accounts.flatMap(({ name, slots = [] }) =>
      slots.flatMap(({ slot, since }) => (since === undefined ? [{ account: name, slot }] : [])),
    ),
    ...(policy !== undefined && {
      grantsNobodyUsed: policy.grants
        .map(({ name }) => name)
        .filter((name) => !uses.some(({ grant }) => grant === name)),
      callersWithMoreThanTheyUse: withMore(uses, policy),
    }),
  };
}

/** Of those who used something, what else the policy gives them, by what the broker last saw of their claims. */
function withMore(uses: readonly Use[], policy: Policy): NonNullable<Advice['callersWithMoreThanTheyUse']> {
  const { options } = compilePolicy(policy);
  const byCaller = Map.groupBy(uses, ({ caller }) => JSON.stringify(caller));
  return [...byCaller.values()].flatMap((own) => {
    const [first] = own;
    const claims = own.find((use) => use.claims !== undefined)?.claims;
    if (first === undefined || claims === undefined) return [];
    const { clientId, objectId } = first.caller;
    const used = new Set(own.map(({ resource, tokenKind }) => `${resource} (${tokenKind})`));
    const who: Caller = {
      ...first.caller,
      kind: claims.kind,
      appRoles: claims.appRoles ?? [],
      scopes: claims.scopes ?? [],
      groups: claims.groups ?? [],
      uti: '',
      issuedAtSeconds: 0,
      expiresAtSeconds: 0,
      token: new Secret(''),
    };
    const has = policy.resources.flatMap((resource) =>
      resource.tokenKinds.flatMap((kind) =>
        options(who, resource, kind).length > 0 ? [`${resource.name} (${kind})`] : [],
      ),
    );
    const unused = has.filter((each) => !used.has(each));
    return unused.length === 0 ? [] : [{ objectId, clientId, uses: [...used], unused }];
  });
}
