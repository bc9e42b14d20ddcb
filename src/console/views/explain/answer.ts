/** An explanation: what was decided, under which grants and why not under others, and what would change it. */
import type { VNode } from 'preact';
import { html } from '../../html.ts';
import { Tag } from '../../parts/tag.ts';
import { Time } from '../../parts/time.ts';
import { linkTo } from '../../route.ts';
import { capital, scopeWords } from '../revocations/scope.ts';
import {
  byNearness,
  conditionWords,
  type Full,
  type Grant,
  headline,
  nowWords,
  rulesOf,
} from './sentences.ts';

export function Answer({ explanation, now }: { readonly explanation: Full; readonly now: number }): VNode {
  const {
    outcome,
    advice,
    at,
    resource,
    caller,
    unknown,
    grants,
    revocations,
    limits,
    changes,
    callerChanges,
  } = explanation;
  const isGranted = outcome === 'granted';
  const again = nowWords(explanation);
  const day = at?.slice(0, 10);
  return html`<section class="answer" aria-labelledby="answer-title">
    <div class=${`card verdict ${isGranted ? 'granted' : 'refused'}`} role="status">
      <h2 id="answer-title"><span aria-hidden="true">${isGranted ? '✓' : '✕'}</span> ${headline(explanation)}</h2>
      <p>${capital(advice)}</p>
      ${again && html`<p><strong>${again}</strong></p>`}
      ${unknown && html`<p class="quiet">${unknown}</p>`}
      <p class="quiet">
        ${at && html`<${Time} at=${at} now=${now} />`}${resource && html` for <code>${resource}</code>`}${caller?.objectId && html`, by <code>${caller.objectId}</code>`}
      </p>
      <p class="row">
        ${explanation.correlationId && html`<a href=${linkTo('record', { day, correlation: explanation.correlationId })}>Its record</a>`}
        ${caller?.clientId && html`<a href=${linkTo('revocations', { kind: 'client', tenant: caller.tenantId, value: caller.clientId })}>End the access of this app…</a>`}
      </p>
    </div>
    ${
      revocations.length > 0 &&
      html`<h3>What is revoked</h3><ul>
      ${revocations.map(
        ({
          grant,
          scope,
          cutOff,
          blocked,
        }) => html`<li key=${`${grant} ${scopeWords(scope)}`}>${capital(scopeWords(scope))}, under the grant ${grant}:
          ${blocked ? ' blocked until an operator lifts it.' : html` Entra tokens from before <${Time} at=${cutOff} now=${now} /> are refused.`}</li>`,
      )}
    </ul>`
    }
    ${
      changes.length + callerChanges.length > 0 &&
      html`<h3>Any one of these would change it</h3><ul class="changes">
      ${callerChanges.map(({ what }) => html`<li key=${what}>${capital(what)}. <span class="quiet">At the caller.</span></li>`)}
      ${changes.map(
        ({ what, patch }) => html`<li key=${what}>${capital(what)}. <span class="quiet">In the policy.</span>
          <details><summary>As a patch (RFC 6902)</summary><pre tabindex="0">${JSON.stringify(patch, null, 2)}</pre></details></li>`,
      )}
    </ul>`
    }
    ${grants.length > 0 && html`<h3>Grants that name the account</h3>`}
    ${byNearness(grants).map((grant) => html`<${OneGrant} key=${grant.name} grant=${grant} limit=${limits.find((one) => one.grant === grant.name)} />`)}
  </section>`;
}

function OneGrant({
  grant,
  limit,
}: {
  readonly grant: Grant;
  readonly limit: Full['limits'][number] | undefined;
}): VNode {
  return html`<details class="card grant" open=${true}>
    <summary><strong>${grant.name}</strong>${' '}
      <${Tag} ...${grant.applies ? { tone: 'good', sign: '✓', words: 'applies' } : { tone: 'bad', sign: '✕', words: 'does not apply' }} /></summary>
    ${rulesOf(grant).map(
      ([rule, conditions]) => html`<div key=${rule ?? -1}>
        ${rule !== undefined && html`<p class="quiet">Its caller rule ${rule + 1}</p>`}
        <ul class="conditions">${conditions.map(
          (condition) => html`<li key=${conditionWords(condition)} class=${condition.met ? 'met' : 'unmet'}>
            <span aria-hidden="true">${condition.met ? '✓' : '✕'}</span><span class="visually-hidden">${condition.met ? 'met' : 'not met'}:</span> ${conditionWords(condition)}</li>`,
        )}</ul>
      </div>`,
    )}
    ${limit && html`<p class="quiet">${limit.count} tokens in ${limit.perSeconds} s at most, each for ${limit.maxLifetimeSeconds} s at most.</p>`}
  </details>`;
}
