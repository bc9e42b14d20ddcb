/**
 * Callers of a local mode with several instances, without pause: each exchanges at any of the instances, and uses
 * a token that it holds on the account. A connection that is refused or breaks without an answer is tried at
 * another instance, as Azure's front end would: what comes back to the caller is then that instance's answer.
 *
 * Virtual time jumps only while no call is in flight, so that a slow machine looks like no other clock.
 */
import type { Chance } from '../simulation/random.ts';
import { use } from './rotation-load.ts';
import type { Answer, Stack } from './stack.ts';

/** Two accounts with key-exchange tokens, and an application that may have them. */
export const ACCOUNTS = { speech: 'captions', translator: 'translations' } as const;
export type AccountName = keyof typeof ACCOUNTS;
/** What a case lets callers of an account meet beside success: its secret or the account is gone; they are blocked. */
type Allowed = 'nothing' | 'outage' | 'gone' | 'block';

export interface Counts {
  exchanges: number;
  /** Neither granted nor allowed. */
  failed: number;
  /** Answers of 503 that were allowed at that time. */
  unavailable: number;
  /** Refusals that were allowed at that time. */
  refused: number;
  uses: number;
  /** Tries at another instance, because the connection to the first was refused or broke. */
  elsewhere: number;
}

export interface LiveCallers {
  readonly counts: Counts;
  readonly failures: readonly string[];
  now(): number;
  fail(what: string): void;
  /** For calls that begin or end from now on. */
  allow(account: AccountName, allowed: Allowed): void;
  /** Nobody uses the tokens of this account any more that were got until now. */
  forget(account: AccountName): void;
  /** Whether the account takes the token. */
  isGood(account: AccountName, host: string, token: string): Promise<boolean>;
  /** From now on callers show Entra tokens that are issued from now on. */
  signInAnew(): void;
  /** Resolves when everyone has completed this many rounds that began after now. */
  rounds(count: number): Promise<void>;
  jump(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

const CALLERS = 6;
const PAUSE_MS = 10;
const MAX_TRIES = 6;
/** A caller's own Entra token lives for 60 to 90 minutes. */
const OWN_TOKEN_MS = 45 * 60_000;
/** So little is left of a token that its use may be answered after its end. */
const NEAR_END_MS = 20_000;

/** @param pauseMs of each caller between two rounds; it is over as soon as somebody waits for a round */
export async function startCallers(stack: Stack, chance: Chance, pauseMs = PAUSE_MS): Promise<LiveCallers> {
  const { instances, resources } = stack.description;
  const counts: Counts = { exchanges: 0, failed: 0, unavailable: 0, refused: 0, uses: 0, elsewhere: 0 };
  const failures: string[] = [];
  const allowed: Record<AccountName, Allowed> = { speech: 'nothing', translator: 'nothing' };
  const held: Record<AccountName, Held[]> = { speech: [], translator: [] };
  let signInsSince = 0;
  let over = false;

  let readAtMs = 0;
  let virtualMs = 0;
  const readClock = async (): Promise<void> => {
    const { now } = (await stack.control('GET', '/clock')) as { now: string };
    [readAtMs, virtualMs] = [performance.now(), Date.parse(now)];
  };
  await readClock();
  const now = () => virtualMs + performance.now() - readAtMs;

  const fail = (what: string): void => {
    counts.failed += 1;
    failures.push(`${new Date(now()).toISOString()} ${what}`);
  };
  async function exchange(ownToken: string, host: string): Promise<Answer> {
    const first = chance.between(0, instances.length - 1);
    for (let attempt = 0; ; attempt += 1) {
      const broker = instances[(first + attempt) % instances.length] ?? '';
      try {
        return await stack.exchange(ownToken, host, {}, broker);
      } catch (error) {
        if (attempt === MAX_TRIES) throw error;
        counts.elsewhere += 1;
      }
    }
  }

  function caller(index: number): () => Promise<void> {
    const names: readonly AccountName[] = ['speech', 'translator'];
    const name = names[index % names.length] ?? 'speech';
    const account = resources.find((one) => one.name === name);
    const hosts = [account?.endpoint ?? '', account?.regionalEndpoint ?? account?.endpoint ?? ''];
    const host = hosts[Math.floor(index / names.length) % hosts.length] ?? '';
    let own = { token: '', untilMs: 0, since: 0 };
    const ownToken = async (): Promise<string> => {
      if (now() >= own.untilMs || own.since < signInsSince) {
        const [since, untilMs] = [signInsSince, now() + OWN_TOKEN_MS];
        own = { token: await stack.callerToken(ACCOUNTS[name]), untilMs, since };
      }
      return own.token;
    };
    return async () => {
      const token = await ownToken();
      const before = allowed[name];
      const answer = await exchange(token, host);
      counts.exchanges += 1;
      const may = [before, allowed[name]];
      const mayFail = may.some((one) => one === 'outage' || one === 'gone');
      if (answer.status === 503 && mayFail && answer.headers.has('retry-after')) counts.unavailable += 1;
      else if (answer.status === 400 && may.includes('block')) counts.refused += 1;
      else if (answer.status !== 200) fail(`exchange for ${name}: ${answer.status} ${answer.text}`);
      else if (!may.includes('gone')) hold(name, host, String(answer.body['access_token']));
      await useOne(name);
    };
  }
  function hold(name: AccountName, host: string, token: string): void {
    const endMs = endOf(token);
    held[name] = held[name].filter((one) => one.endMs - now() > NEAR_END_MS && one.token !== token);
    held[name].push({ token, host, endMs });
  }
  async function useOne(name: AccountName): Promise<void> {
    const [first, ...rest] = held[name].filter(({ endMs }) => endMs - now() > NEAR_END_MS);
    if (first === undefined || allowed[name] === 'gone') return;
    const one = chance.pick([first, ...rest]);
    const status = await use(name, one.host, { authorization: `Bearer ${one.token}` });
    counts.uses += 1;
    if (status === 200 || now() >= one.endMs || !held[name].includes(one)) return;
    fail(`${name} refuses a token with ${Math.round((one.endMs - now()) / 1000)} s left: ${status}`);
    held[name] = held[name].filter((other) => other !== one);
  }

  let gate: Promise<void> = Promise.resolve();
  let asked = 0;
  let wanted = Promise.withResolvers<void>();
  let inFlight = 0;
  const completed = Array.from({ length: CALLERS }, () => 0);
  const running = Promise.all(
    completed.map(async (_, index) => {
      const round = caller(index);
      while (!over) {
        await gate;
        const begun = asked;
        inFlight += 1;
        await round().catch((error: unknown) => fail(`${error} ${error instanceof Error && error.cause}`));
        inFlight -= 1;
        completed[index] = begun;
        await Promise.race([pause(pauseMs), wanted.promise]);
      }
    }),
  );
  return {
    counts,
    failures,
    now,
    fail,
    allow(account, what) {
      allowed[account] = what;
    },
    forget(account) {
      held[account] = [];
    },
    isGood: async (account, host, token) =>
      (await use(account, host, { authorization: `Bearer ${token}` })) === 200,
    signInAnew() {
      signInsSince += 1;
    },
    async rounds(count) {
      for (let left = count; left > 0; left -= 1) {
        asked += 1;
        wanted.resolve();
        wanted = Promise.withResolvers();
        while (completed.some((round) => round < asked)) await pause(PAUSE_MS);
      }
    },
    async jump(seconds) {
      const closed = Promise.withResolvers<void>();
      gate = closed.promise;
      while (inFlight > 0) await pause(PAUSE_MS);
      await stack.control('POST', '/clock', { advanceSeconds: seconds });
      await readClock();
      closed.resolve();
    },
    async stop() {
      over = true;
      wanted.resolve();
      await running;
    },
  };
}

interface Held {
  readonly token: string;
  /** A token is good only at the host that issued it. */
  readonly host: string;
  readonly endMs: number;
}

/** A key-exchange token is a JWT: its own `exp`, and not what the broker says, is its end. */
function endOf(token: string): number {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).exp * 1000;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
