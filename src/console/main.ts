/** Opens the console: signs in, silently where that is possible, and then shows it. */
import { render } from 'preact';
import { createApi } from './api.ts';
import { App } from './app.ts';
import { createBrokerClock } from './clock.ts';
import { html } from './html.ts';
import type { Tokens } from './oauth.ts';
import { createSession } from './session.ts';
import { createSignIn, type Settings } from './sign-in.ts';
import { Welcome } from './welcome.ts';

const root = document.getElementById('app');
const settings = JSON.parse(
  document.querySelector<HTMLMetaElement>('meta[name=console]')?.content ?? '{}',
) as Settings;
const signIn = createSignIn(settings);

function open(tokens: Tokens): void {
  const clock = createBrokerClock(() => Date.now());
  const session = createSession(tokens, signIn.refresh, clock.now);
  const api = createApi({
    fetch: (url, init) => fetch(url, init),
    token: session.token,
    heard: clock.heard,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    newKey: () => crypto.randomUUID(),
  });
  if (root)
    render(html`<${App} ...${{ api, clock, person: session.person, signOut: signIn.leave }} />`, root);
}

const outcome = await signIn.finish();
if (outcome === undefined) await signIn.begin(true);
else if (outcome !== 'ask' && !('kind' in outcome)) open(outcome);
else if (root) {
  const why = outcome === 'ask' ? undefined : outcome.why;
  render(html`<${Welcome} why=${why} signIn=${() => void signIn.begin(false)} />`, root);
}
