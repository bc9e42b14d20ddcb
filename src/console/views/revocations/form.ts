/** The form of a revocation: what is meant, and then what will end and what cannot be ended. */
import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { isProblem, type Problem } from '../../api.ts';
import { html } from '../../html.ts';
import { useAnswer } from '../../parts/answer.ts';
import { Choice, textIn } from '../../parts/filters.ts';
import { Failed } from '../../parts/state.ts';
import type { ViewProps } from '../../view.ts';
import type { PolicyInForce } from '../../wire.ts';
import { askOutstanding, type Told } from './out.ts';
import { Preview } from './preview.ts';
import { capital, type Fields, isGuid, KINDS, kindOf, readScope, type Scope, WORDS } from './scope.ts';

interface Seen extends Told {
  readonly scope: Scope;
  readonly block: boolean;
  /** Where a person was named: whose name it is. */
  readonly person?: string;
}
interface Named {
  readonly id?: string;
  readonly name: string;
}
const named = (value: unknown): readonly Named[] => (Array.isArray(value) ? value : []);

export function Form({ api, route, filter, now }: ViewProps): VNode {
  const { params } = route;
  const [fields, setFields] = useState<Fields>({
    kind: kindOf(params['kind']),
    tenantId: params['tenant'] ?? '',
    value: params['value'] ?? '',
  });
  const [block, setBlock] = useState(false);
  const [seen, setSeen] = useState<Seen>();
  const [wrong, setWrong] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const { answer } = useAnswer(() => api.get<PolicyInForce>('policy'), []);
  const policy = answer?.policy ?? {};
  const tenants = named(policy['tenants']);
  const { kind, value } = fields;
  const tenantId = fields.tenantId || (tenants[0]?.id ?? '');
  const names =
    kind === 'resource' ? named(policy['resources']) : kind === 'grant' ? named(policy['grants']) : [];
  const refuse = (detail: string) => setWrong({ kind: 'problem', status: 400, detail });

  async function look(event: Event): Promise<void> {
    event.preventDefault();
    setWrong(undefined);
    let scope = readScope({ ...fields, tenantId });
    if (typeof scope === 'string') return refuse(scope);
    setBusy(true);
    let person: string | undefined;
    if (scope.kind === 'user' && !isGuid(scope.objectId)) {
      // Nothing is done by a name: the broker answers whose it is, and that object id is what is revoked.
      const asked = await api.act<object>('revocations', { scope, reason: 'who is meant' });
      setBusy(false);
      if (!isProblem(asked) || asked.found === undefined)
        return isProblem(asked) ? setWrong(asked) : undefined;
      person = `${scope.objectId} has the object id ${asked.found.objectId}, and the account is ${asked.found.enabled ? 'enabled' : 'disabled'}.`;
      scope = { ...scope, objectId: asked.found.objectId };
    }
    const told = await askOutstanding(api, scope, now);
    setBusy(false);
    if (isProblem(told)) setWrong(told);
    else setSeen({ ...told, scope, block, ...(person && { person }) });
  }
  const set = (name: keyof Fields) => (text: string) => {
    setSeen(undefined);
    setFields({ ...fields, [name]: text });
  };
  return html`<section class="card revoke" aria-labelledby="revoke-title">
    <h2 id="revoke-title">End an access</h2>
    <form class="row" onSubmit=${look}>
      <${Choice} label="What" value=${kind} options=${Object.keys(KINDS).map((name) => [name, capital(WORDS[name] ?? name)])} choose=${set('kind')} />
      ${
        kind !== 'resource' &&
        kind !== 'grant' &&
        html`<${Choice} label="Tenant" value=${tenantId} options=${tenants.map(({ id, name }) => [id, `${name} (${id})`])} choose=${set('tenantId')} />`
      }
      ${
        kind !== 'tenant' &&
        html`<p class="field value"><label for="value">${KINDS[kind]}</label>
        <input id="value" value=${value} onInput=${(event: Event) => set('value')(textIn(event))} list=${names.length > 0 ? 'names' : undefined} required autocomplete="off" spellcheck=${false} />
        <datalist id="names">${names.map(({ name }) => html`<option key=${name} value=${name} />`)}</datalist></p>`
      }
      <p><label><input type="checkbox" checked=${block} onChange=${() => {
        setSeen(undefined);
        setBlock(!block);
      }} /> Block: refuse new tokens of Entra too, until it is lifted</label></p>
      <p><button class="primary" disabled=${busy}>${busy ? 'Looking…' : 'See what would end'}</button></p>
    </form>
    ${wrong && html`<${Failed} problem=${wrong} />`}
    ${
      seen &&
      html`<${Preview} ...${seen} api=${api} now=${now} cancel=${() => setSeen(undefined)}
      done=${(key: string) => {
        setSeen(undefined);
        filter({ key });
      }} />`
    }
  </section>`;
}
