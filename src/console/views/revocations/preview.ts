/** What a revocation will end, when at the latest, and what cannot be ended; then the reason, and the act. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Api, isProblem } from '../../api.ts';
import { html } from '../../html.ts';
import { Act } from '../../parts/act.ts';
import { relative, Time } from '../../parts/time.ts';
import type { RevocationEffect } from '../../wire.ts';
import { OutTable } from './out.ts';
import type { Outstanding } from './outstanding.ts';
import { type Scope, scopeWords } from './scope.ts';

interface PreviewProps {
  readonly api: Api;
  readonly scope: Scope;
  readonly block: boolean;
  readonly person?: string;
  readonly out?: Outstanding | undefined;
  readonly now: number;
  readonly cancel: () => void;
  /** Told the key of the revocation that is in force. */
  readonly done: (key: string) => void;
}

export function Preview({ api, scope, block, person, out, now, cancel, done }: PreviewProps): VNode {
  const [asks, setAsks] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const words = scopeWords(scope);
  const ends = `Ends at once, on every instance: each new exchange of ${words}${block ? ', until somebody lifts it.' : ' with an Entra token from before now. Newer ones are accepted.'}`;
  async function send(reason: string): Promise<object> {
    const effect = await api.act<RevocationEffect>('revocations', { scope, ...(block && { block }), reason });
    if (!isProblem(effect)) done(effect.key);
    return effect;
  }
  const rest =
    out === undefined
      ? 'The record cannot tell which tokens of it are out. None lives longer than its grant allows.'
      : out.count === 0
        ? 'No token of it is out: with the revocation it is over.'
        : `Cannot be ended: ${out.isAll ? '' : 'at least '}${out.count} ${out.count === 1 ? 'token' : 'tokens'} that Azure accepts without asking the broker.`;
  return html`<div class="preview">
    <h3 tabindex="-1" ref=${title}>What would end</h3>
    ${person && html`<p><strong>${person}</strong></p>`}
    <p>${ends}</p>
    <p>${rest}</p>
    ${out && out.count > 0 && html`<${OutTable} out=${out} now=${now} />`}
    ${out?.lastMs && html`<p><strong>Over at the latest:</strong> <${Time} at=${out.lastMs} now=${now} />, ${relative(out.lastMs, now)}.</p>`}
    <p class="row">
      <button type="button" class="danger" onClick=${() => setAsks(true)}>Revoke ${words}…</button>
      <button type="button" onClick=${cancel}>Cancel</button>
    </p>
    ${
      asks &&
      html`<${Act} title=${`Revoke ${words}`} consequence=${[ends, rest]}
      send=${send} close=${() => setAsks(false)} />`
    }
  </div>`;
}
