/** An act that was asked for, followed in its place until it has ended. */
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Api, isProblem, pathOf } from '../api.ts';
import { html } from '../html.ts';
import type { Operation } from '../wire.ts';
import { useAnswer } from './answer.ts';
import { Failed, Loading } from './state.ts';
import { Tag } from './tag.ts';
import { span, Time } from './time.ts';

const EVERY_MS = 1_000;
/** The others are in the account's history. */
const LAST = 4;
const STATES = {
  running: { tone: '', sign: '↻', words: 'Under way' },
  succeeded: { tone: 'good', sign: '✓', words: 'Done' },
  failed: { tone: 'bad', sign: '✕', words: 'Failed' },
  superseded: { tone: 'warn', sign: '!', words: 'An emergency took it over' },
} as const;

interface FollowedProps {
  readonly api: Api;
  readonly id: string;
  readonly now: number;
  readonly close: () => void;
}

export function Followed({ api, id, now, close }: FollowedProps): VNode {
  const ended = useRef<Operation | undefined>(undefined);
  const ask = async () => {
    if (ended.current?.id === id) return ended.current;
    const answer = await api.get<Operation>(pathOf('operations', id));
    if (!isProblem(answer) && answer.state !== 'running') ended.current = answer;
    return answer;
  };
  const { answer, problem, again } = useAnswer(ask, [id], EVERY_MS);
  const box = useRef<HTMLElement>(null);
  // The button that began it may be gone.
  useEffect(() => box.current?.focus(), [id]);
  return html`<section class="card followed" tabindex="-1" ref=${box} aria-label="What was asked for">
    ${answer ? html`<${Steps} operation=${answer} ...${{ now, close }} />` : problem ? html`<${Failed} ...${{ problem, again }} />` : html`<${Loading} />`}
  </section>`;
}

function Steps({
  operation,
  now,
  close,
}: Pick<FollowedProps, 'now' | 'close'> & { readonly operation: Operation }): VNode {
  const { act, target, reason, state, steps, result = {}, problem } = operation;
  const first = Math.max(1, steps.length - LAST + 1);
  const lag = (name: string, what: string) =>
    typeof result[name] === 'number' && html`<p>${what} within ${span(result[name])}.</p>`;
  return html`<p class="row">
      <strong>${act} ${target}</strong> <${Tag} ...${STATES[state]} told />
      <button type="button" onClick=${close}>${state === 'running' ? 'Stop watching' : 'Close'}</button>
    </p>
    <p class="quiet">Reason: ${reason}</p>
    <ol role="log" aria-label="Steps">
      ${steps.slice(-LAST).map((step, at) => html`<li key=${first + at} value=${first + at}><${Time} at=${step.at} now=${now} /> ${step.what}</li>`)}
    </ol>
    ${lag('newKeyLagMs', 'The new key was accepted')} ${lag('oldKeyLagMs', 'The old key was refused')}
    ${problem && html`<p role="alert"><strong>What to do:</strong> ${problem.advice} (${problem.code})</p>`}`;
}
