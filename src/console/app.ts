/** The frame: the views' names beside the view that is open, and who is signed in. */
import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Api } from './api.ts';
import type { BrokerClock } from './clock.ts';
import { html } from './html.ts';
import { linkTo, type Route, readRoute, VIEW_NAMES, type ViewName } from './route.ts';
import type { Person } from './session.ts';
import type { View } from './view.ts';
import { Accounts } from './views/accounts/view.ts';
import { Events } from './views/events/view.ts';
import { Explain } from './views/explain/view.ts';
import { Policy } from './views/policy/view.ts';
import { Record } from './views/record/view.ts';
import { Revocations } from './views/revocations/view.ts';
import { Traffic } from './views/traffic/view.ts';

const VIEWS: { readonly [name in ViewName]: { readonly title: string; readonly view: View } } = {
  accounts: { title: 'Accounts', view: Accounts },
  traffic: { title: 'Traffic', view: Traffic },
  policy: { title: 'Who may what', view: Policy },
  revocations: { title: 'Revocations', view: Revocations },
  explain: { title: 'Explain', view: Explain },
  events: { title: 'Events', view: Events },
  record: { title: 'Record', view: Record },
};

interface AppProps {
  readonly api: Api;
  readonly clock: BrokerClock;
  readonly person: Person;
  readonly signOut: () => void;
}

export function App({ api, clock, person, signOut }: AppProps): VNode {
  const [route, setRoute] = useState<Route>(() => readRoute(location.hash));
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    const onMove = () => setRoute(readRoute(location.hash));
    addEventListener('hashchange', onMove);
    const timer = setInterval(() => setNow(clock.now()), 1_000);
    return () => {
      removeEventListener('hashchange', onMove);
      clearInterval(timer);
    };
  }, []);
  const { title, view } = VIEWS[route.view];
  const heading = useRef<HTMLHeadingElement>(null);
  const opened = useRef(route.view);
  useEffect(() => {
    document.title = `${title} · Azure AI token broker`;
    // Whoever follows a link by keyboard or ear is taken to what it opened.
    if (opened.current !== route.view) heading.current?.focus();
    opened.current = route.view;
  }, [route.view]);
  const filter = (params: Readonly<{ [name: string]: string | undefined }>) => {
    history.replaceState(null, '', linkTo(route.view, params));
    setRoute(readRoute(location.hash));
  };
  return html`<a class="skip" href="#main" onClick=${(event: Event) => {
    event.preventDefault();
    heading.current?.focus();
  }}>Skip to content</a>
    <header>
      <p class="brand">Azure AI token broker</p>
      <nav aria-label="Views">
        <ul>
          ${VIEW_NAMES.map(
            (name) => html`<li key=${name}>
              <a href=${linkTo(name)} aria-current=${name === route.view ? 'page' : undefined}
                >${VIEWS[name].title}</a>
            </li>`,
          )}
        </ul>
      </nav>
      <p class="person">
        <span><b>${person.name}, </b>${person.mayAct ? 'operator' : 'auditor'}</span>
        <button type="button" onClick=${signOut}>Sign out</button>
      </p>
    </header>
    <main id="main">
      <h1 tabindex="-1" ref=${heading}>${title}</h1>
      <${view} key=${route.view} ...${{ api, route, filter, now, mayAct: person.mayAct }} />
    </main>`;
}
