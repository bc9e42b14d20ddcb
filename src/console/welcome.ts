/** What somebody sees who is not signed in. */
import type { VNode } from 'preact';
import { html } from './html.ts';

export function Welcome({ why, signIn }: { why: string | undefined; signIn: () => void }): VNode {
  return html`<main class="welcome">
    <h1>Azure AI token broker</h1>
    <p>
      The console shows every key, every grant and every ending. It is for people with the app role
      <code>Broker.Auditor</code> or <code>Broker.Operator</code>.
    </p>
    ${why !== undefined && html`<p class="failed" role="alert"><strong>You were not signed in.</strong> ${why}</p>`}
    <button type="button" class="primary" onClick=${signIn}>Sign in</button>
  </main>`;
}
