/** Asks, and asks again every few seconds while the page is seen; keeps the last good answer while it does. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { isProblem, type Problem } from '../api.ts';

export interface Answered<Answer> {
  /** Absent until the first good answer; stays while a later one fails. */
  readonly answer?: Answer | undefined;
  /** Why the newest one did not come. */
  readonly problem?: Problem | undefined;
  /** Asks now. */
  readonly again: () => void;
}

/**
 * @param ask is called anew whenever one of `about` changes, and then the answer before is forgotten
 * @param everyMs 0: once
 */
export function useAnswer<Answer extends object>(
  ask: () => Promise<Answer | Problem>,
  about: readonly unknown[],
  everyMs = 0,
): Answered<Answer> {
  const [state, setState] = useState<{ answer?: Answer; problem?: Problem }>({});
  const asking = useRef(ask);
  asking.current = ask;
  const again = useRef(() => {});
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    setState({});
    async function run(): Promise<void> {
      clearTimeout(timer);
      if (running) return;
      running = true;
      const got = document.hidden && everyMs > 0 ? undefined : await asking.current();
      running = false;
      if (ended) return;
      if (got !== undefined)
        setState((before) => (isProblem(got) ? { ...before, problem: got } : { answer: got }));
      if (everyMs > 0) timer = setTimeout(run, everyMs);
    }
    again.current = () => void run();
    const onSeen = () => !document.hidden && everyMs > 0 && void run();
    document.addEventListener('visibilitychange', onSeen);
    void run();
    return () => {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onSeen);
    };
  }, [...about, everyMs]);
  return { ...state, again: () => again.current() };
}
