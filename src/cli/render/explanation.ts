/** Why the broker decided as it did, for whoever has to change that. */
import type { View } from './accounts.ts';
import { facts } from './table.ts';
import { clean, hanging, wrap } from './text.ts';

interface Condition {
  readonly condition: string;
  readonly wanted: string | readonly string[];
  readonly had: string | readonly string[];
  readonly met: boolean;
  readonly rule?: number;
}
interface Explained {
  readonly outcome: 'granted' | 'refused';
  readonly reason?: string;
  readonly advice: string;
  readonly grant?: string;
  readonly tokenKind?: string;
  readonly grants?: readonly {
    readonly name: string;
    readonly applies: boolean;
    readonly conditions: readonly Condition[];
  }[];
  readonly revocations?: readonly {
    readonly grant: string;
    readonly scope: Readonly<Record<string, string>>;
    readonly cutOff: string;
    readonly blocked: boolean;
  }[];
}
export interface Explanation extends Explained {
  readonly correlationId?: string;
  readonly at?: string;
  readonly resource?: string;
  readonly caller?: { readonly tenantId?: string; readonly clientId?: string; readonly objectId?: string };
  readonly unknown?: string;
  readonly now?: Explained;
  readonly changes?: readonly { readonly what: string; readonly patch: readonly object[] }[];
  readonly callerChanges?: readonly { readonly what: string }[];
}

export function explanationText(explanation: Explanation, view: View): string {
  const { style, times, width = 100 } = view;
  const { outcome, reason, advice, grant, tokenKind, at, resource, caller, unknown, now } = explanation;
  const paragraph = (text: string, indent = ''): string =>
    `${wrap(text, width - indent.length)
      .map((line) => `${indent}${line}`)
      .join('\n')}\n`;
  const outcomeOf = (said: string) => ({ text: said, style: said === 'granted' ? style.good : style.bad });
  const who = caller?.objectId ?? caller?.clientId;
  const parts = [
    facts(
      [
        ['outcome', outcomeOf(outcome)],
        ['reason', reason],
        ['when', times.at(at)],
        ['resource', resource],
        ['caller', who],
        ['grant', grant && `${grant}${tokenKind === undefined ? '' : ` (${tokenKind})`}`],
        ['now', now && outcomeOf(now.outcome)],
        ['not known', unknown],
      ],
      style.dim,
      view.width,
    ),
    paragraph(advice),
    grantsText(explanation, view),
    revocationsText(explanation, view),
  ];
  const ofPolicy = (explanation.changes ?? []).map(({ what }) => what);
  const changes = [...ofPolicy, ...(explanation.callerChanges ?? []).map(({ what }) => what)];
  if (changes.length > 0) {
    const listed = changes.map((what) => `  - ${hanging(what, 4, view.width)}\n`).join('');
    const patches =
      ofPolicy.length === 0 ? '' : style.dim('With --json each has its JSON Patch of the policy.\n');
    parts.push(`${style.bold('Any one of these flips it:')}\n${listed}${patches}`);
  }
  return parts.filter((part) => part !== '').join('\n');
}

function grantsText({ grants = [] }: Explained, { style, width }: View): string {
  const list = (value: string | readonly string[]): string => {
    const text = typeof value === 'string' ? value : value.join(', ');
    return text === '' ? 'nothing' : clean(text);
  };
  return grants
    .map(({ name, applies, conditions }) => {
      const rows = conditions.map(({ condition, wanted, had, met }) => {
        const mark = met ? style.good('yes') : style.bad('NO ');
        const said = `${condition}: ${list(wanted)}${met ? '' : ` is wanted, the caller has ${list(had)}`}`;
        return `  ${mark} ${hanging(said, 6, width)}\n`;
      });
      return `${style.bold(`grant ${name}`)} ${applies ? style.good('applies') : style.bad('does not apply')}\n${rows.join('')}`;
    })
    .join('');
}

function revocationsText({ revocations = [] }: Explained, { style, times }: View): string {
  return revocations
    .map(({ scope, cutOff, blocked }) => {
      const { kind, ...of } = scope;
      const what = blocked ? 'blocked until an operator lifts it' : `cut off ${times.at(cutOff)}`;
      return `${style.bad('revoked')}: ${kind} ${clean(Object.values(of).join(' '))}, ${what}\n`;
    })
    .join('');
}
