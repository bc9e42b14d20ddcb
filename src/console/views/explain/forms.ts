/** What can be asked: about one exchange by its id, or about a caller that is described. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { isProblem, type Problem } from '../../api.ts';
import { html } from '../../html.ts';
import { Failed } from '../../parts/state.ts';
import type { ViewProps } from '../../view.ts';
import type { AuditRecord } from '../../wire.ts';

const valuesOf = (event: Event): Record<string, string> =>
  Object.fromEntries(
    [...new FormData(event.currentTarget as HTMLFormElement)].map(([name, value]) => [name, String(value)]),
  );

export function ById({ route, filter }: ViewProps): VNode {
  const { correlation = '', at = '' } = route.params;
  return html`<form class="card row" onSubmit=${(event: Event) => {
    event.preventDefault();
    filter(valuesOf(event));
  }}>
    <p class="field wide"><label for="correlation">Correlation id</label>
      <input id="correlation" name="correlation" key=${correlation} defaultValue=${correlation} required autocomplete="off" spellcheck=${false} /></p>
    <p class="field"><label for="at">About when, if the id came from outside</label>
      <input id="at" name="at" type="datetime-local" key=${at} defaultValue=${at} /></p>
    <p><button class="primary">Explain</button></p>
  </form>`;
}

const FIELDS = [
  ['tenant', 'Tenant id', true],
  ['client', 'Client id', true],
  ['object', 'Object id', true],
  ['roles', 'App roles', false],
  ['scopes', 'Scopes', false],
  ['groups', 'Group ids', false],
] as const;
const KINDS = ['', 'sts', 'entra', 'obo'];
const WEEK_MS = 7 * 86_400_000;

export function ByCaller({ api, route, filter, now }: ViewProps): VNode {
  const { params } = route;
  const [wrong, setWrong] = useState<Problem>();
  const [found, setFound] = useState<Readonly<Record<string, string>>>({});
  const given = { ...params, ...found };
  /** What the broker last saw of whoever has the id. */
  async function fill(event: Event): Promise<void> {
    event.preventDefault();
    const { caller = '' } = valuesOf(event);
    const iso = (ms: number): string => new Date(ms).toISOString();
    const seen = await api.all<AuditRecord>(
      'audit',
      { from: iso(now - WEEK_MS), to: iso(now + 60_000), caller },
      2_000,
    );
    if (isProblem(seen)) return setWrong(seen);
    const last = seen.items.findLast(({ claims }) => claims !== undefined);
    if (last?.claims === undefined)
      return setWrong({
        kind: 'problem',
        status: 404,
        detail: 'In the last seven days the broker has seen nobody with this id. Describe the caller below.',
      });
    const { kind, appRoles = [], scopes = [], groups = [] } = last.claims;
    setWrong(undefined);
    setFound({
      ...{
        tenant: String(last['tenantId']),
        client: String(last['clientId']),
        object: String(last['objectId']),
        kind,
      },
      ...{
        roles: appRoles.join(' '),
        scopes: scopes.join(' '),
        groups: groups.join(' '),
        resource: String(last['resource'] ?? ''),
      },
    });
  }
  return html`<div class="card">
    <form class="row" onSubmit=${fill}>
      <p class="field wide"><label for="caller">Client or object id of a caller that was seen</label>
        <input id="caller" name="caller" required pattern="[0-9a-fA-F\\-]{36}" title="A GUID" autocomplete="off" spellcheck=${false} /></p>
      <p><button>Fill in what was last seen</button></p>
    </form>
    ${wrong && html`<${Failed} problem=${wrong} />`}
    <form class="described" onSubmit=${(event: Event) => {
      event.preventDefault();
      filter({ by: 'caller', ...valuesOf(event) });
    }}>
      <p class="field"><label for="kind">It is</label>
        <select id="kind" name="kind" key=${given['kind']} defaultValue=${given['kind']}>
          <option value="application">an application</option><option value="user" selected=${given['kind'] === 'user'}>a person</option>
        </select></p>
      ${FIELDS.map(
        ([name, words, required]) => html`<p class="field" key=${name}><label for=${name}>${words}</label>
          <input id=${name} name=${name} key=${given[name]} defaultValue=${given[name] ?? ''} required=${required} autocomplete="off" spellcheck=${false} /></p>`,
      )}
      <p class="field"><label for="resource">Account: its name, or its endpoint</label>
        <input id="resource" name="resource" key=${given['resource']} defaultValue=${given['resource'] ?? ''} required autocomplete="off" /></p>
      <p class="field"><label for="tokenKind">Token kind</label>
        <select id="tokenKind" name="tokenKind">
          ${KINDS.map((kind) => html`<option key=${kind} value=${kind} selected=${kind === given['tokenKind']}>${kind || 'any'}</option>`)}
        </select></p>
      <p><button class="primary">Explain</button></p>
    </form>
  </div>`;
}
