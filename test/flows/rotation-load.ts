/**
 * What uses the accounts while their keys rotate: callers, who exchange and call with every token they have
 * until its last second, and consumers, who take the current key from the vault and call with it. Without pause.
 */
import type { Stack } from './stack.ts';

/** The two accounts with key-exchange tokens, and an application that may have them. */
export const ROTATED = [
  { name: 'speech', caller: 'captions' },
  { name: 'translator', caller: 'translations' },
] as const;
export const LAST_SECOND_MS = 1_000;
/** A caller's own Entra token lives for 60 to 90 minutes. */
const OWN_TOKEN_MS = 45 * 60_000;

export const VAULT_SCOPE = 'https://vault.azure.net/.default';

export interface Tally {
  exchanges: number;
  tokenCalls: number;
  keyCalls: number;
  /** Calls begun in the last second of the token, and answered in it. */
  lastSecond: number;
  /** Answered only after the token's end, because this machine was slow: neither good nor bad. */
  tooLate: number;
  readonly failures: string[];
}
export interface Load {
  readonly tally: Tally;
  /** When the first of the tokens held by any caller ends, in virtual time. */
  firstEndMs(): number;
  /** Resolves when everyone has completed a round that began after now. */
  nextRound(): Promise<void>;
  /** From now on held tokens are used up, and no more are asked for. */
  useUp(): void;
  readonly tokensSeen: () => number;
  stop(): Promise<void>;
}

export function startLoad(stack: Stack, now: () => number, callers: number, consumers: number): Load {
  const { resources } = stack.description;
  const tally: Tally = { exchanges: 0, tokenCalls: 0, keyCalls: 0, lastSecond: 0, tooLate: 0, failures: [] };
  const held: Map<string, number>[] = [];
  const seen = new Set<string>();
  let asksForMore = true;
  let over = false;

  const renewed = (get: () => Promise<string>) => {
    let token = '';
    let renewAtMs = 0;
    return async (): Promise<string> => {
      if (now() >= renewAtMs) {
        renewAtMs = now() + OWN_TOKEN_MS;
        token = await get();
      }
      return token;
    };
  };
  const fail = (what: string): void => {
    tally.failures.push(`${new Date(now()).toISOString()} ${what}`);
  };

  function caller(index: number): () => Promise<void> {
    const { name, caller } = of(ROTATED, index);
    const account = resources.find((one) => one.name === name);
    const hosts = [account?.endpoint ?? '', account?.regionalEndpoint ?? account?.endpoint ?? ''];
    const host = of(hosts, Math.floor(index / ROTATED.length));
    const ownToken = renewed(() => stack.callerToken(caller));
    const mine = new Map<string, number>();
    held.push(mine);
    return async () => {
      if (!asksForMore && mine.size === 0) return pause();
      for (const [token, endMs] of mine) {
        const leftMs = endMs - now();
        if (leftMs <= LAST_SECOND_MS) mine.delete(token);
        if (leftMs <= 0) continue;
        const status = await use(name, host, { authorization: `Bearer ${token}` });
        tally.tokenCalls += 1;
        if (now() >= endMs) tally.tooLate += 1;
        else if (status !== 200)
          fail(`${name} refuses a token with ${Math.round(leftMs / 1000)} s left: ${status}`);
        else if (leftMs <= LAST_SECOND_MS) tally.lastSecond += 1;
      }
      if (!asksForMore) return;
      const answer = await stack.exchange(await ownToken(), host);
      tally.exchanges += 1;
      if (answer.status !== 200) return fail(`exchange for ${name}: ${answer.status} ${answer.text}`);
      const token = String(answer.body['access_token']);
      mine.set(token, endOf(token));
      seen.add(token);
    };
  }

  function consumer(index: number): () => Promise<void> {
    const { name } = of(ROTATED, index);
    const ownToken = renewed(() => stack.callerToken('operator', VAULT_SCOPE));
    return async () => {
      const status = await callWithVaultKey(stack, name, await ownToken());
      tally.keyCalls += 1;
      if (status !== 200) fail(`${name} refuses the vault's current key: ${status}`);
    };
  }

  const rounds = [
    ...Array.from({ length: callers }, (_, index) => caller(index)),
    ...Array.from({ length: consumers }, (_, index) => consumer(index)),
  ];
  let asked = 0;
  const completed = rounds.map(() => 0);
  const running = Promise.all(
    rounds.map(async (round, index) => {
      while (!over) {
        const begun = asked;
        await round().catch((error: unknown) =>
          fail(String(error instanceof Error ? (error.cause ?? error) : error)),
        );
        completed[index] = begun;
      }
    }),
  );
  return {
    tally,
    tokensSeen: () => seen.size,
    firstEndMs: () => Math.min(...held.flatMap((tokens) => [...tokens.values()])),
    nextRound: async () => {
      asked += 1;
      while (completed.some((round) => round < asked)) await pause();
    },
    useUp: () => {
      asksForMore = false;
    },
    stop: async () => {
      over = true;
      await running;
    },
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** Takes the current key from the vault and calls the account with it. @returns the account's status */
export async function callWithVaultKey(stack: Stack, name: string, vaultToken: string): Promise<number> {
  const { resources, keyVault } = stack.description;
  const account = resources.find((one) => one.name === name);
  const answer = await fetch(`${keyVault}/secrets/${account?.secret}?api-version=7.6`, {
    headers: { authorization: `Bearer ${vaultToken}` },
  });
  const { value } = (await answer.json()) as { value?: string };
  return use(name, account?.endpoint ?? '', { 'ocp-apim-subscription-key': value ?? '' });
}

export function use(name: string, host: string, headers: Record<string, string>): Promise<number> {
  return statusOf(
    name === 'speech'
      ? fetch(`${host}/cognitiveservices/voices/list`, { headers })
      : fetch(`${host}/translator/text/v3.0/translate?api-version=3.0&to=de`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: '[{"Text":"hello"}]',
        }),
  );
}

async function statusOf(call: Promise<Response>): Promise<number> {
  const answer = await call;
  await answer.arrayBuffer();
  return answer.status;
}

/** A key-exchange token is a JWT: its own `exp`, and not what the broker says, is its end. */
function endOf(token: string): number {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp * 1000;
}

function of<Item>(items: readonly [Item, ...Item[]] | readonly Item[], index: number): Item {
  return items[index % items.length] as Item;
}
