/** The completion scripts, made from the table of commands. They run nothing: the words are written into them. */
import type { CommandSpec } from './command.ts';
import { PROGRAM } from './program-name.ts';
import { SHARED_OPTIONS } from './shared-options.ts';

const flagOf = (flags: string): string => flags.split(' ')[0] ?? flags;
const shared = SHARED_OPTIONS.map(({ flags }) => flagOf(flags));
const wordsOf = ({ options }: CommandSpec): string[] => [
  ...options.map(({ flags }) => flagOf(flags)),
  ...shared,
  '--help',
];

/** What each script is made of. */
interface Words {
  readonly specs: readonly CommandSpec[];
  /** The words that may come first. */
  readonly firsts: readonly string[];
  /** Those that may come after a word that begins a group. */
  readonly seconds: (first: string) => readonly string[];
  readonly groups: readonly string[];
  /** A case for each command: the longest name first, so that `audit verify` is not taken for `audit`. */
  readonly cases: readonly CommandSpec[];
}

function wordsFrom(specs: readonly CommandSpec[]): Words {
  const firsts = [...new Set(specs.map(({ name }) => name.split(' ')[0] ?? ''))];
  const seconds = (first: string) =>
    specs.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []));
  const groups = firsts.filter((first) => seconds(first).length > 0);
  return { specs, firsts, seconds, groups, cases: [...specs].sort((a, b) => b.name.length - a.name.length) };
}

function bash({ cases, groups, firsts, seconds }: Words): string {
  return `# bash completion of ${PROGRAM}
_azure_ai_token_broker() {
  local current="\${COMP_WORDS[COMP_CWORD]}" typed="\${COMP_WORDS[*]:1:COMP_CWORD-1}" words=''
  case " \${typed} " in *' -- '*) COMPREPLY=(); compopt -o default; return ;; esac
  case "\${typed} " in
${cases.map((spec) => `    '${spec.name} '*) words='${[...seconds(spec.name), ...wordsOf(spec)].join(' ')}' ;;`).join('\n')}
${groups.map((first) => `    '${first} '*) words='${seconds(first).join(' ')}' ;;`).join('\n')}
    *) words='${[...firsts, ...shared, '--help'].join(' ')}' ;;
  esac
  COMPREPLY=($(compgen -W "\${words}" -- "\${current}"))
  [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default
}
complete -F _azure_ai_token_broker ${PROGRAM}
`;
}

function zsh({ cases, groups, firsts, seconds }: Words): string {
  return `#compdef ${PROGRAM}
# zsh completion of ${PROGRAM}
_azure_ai_token_broker() {
  local typed="\${(j: :)words[2,CURRENT-1]} "
  local -a found
  case "\${typed}" in
${cases.map((spec) => `    ('${spec.name} '*) found=(${[...seconds(spec.name), ...wordsOf(spec)].join(' ')}) ;;`).join('\n')}
${groups.map((first) => `    ('${first} '*) found=(${seconds(first).join(' ')}) ;;`).join('\n')}
    (*) found=(${[...firsts, ...shared, '--help'].join(' ')}) ;;
  esac
  compadd -a found || _files
}
if [ "\${funcstack[1]}" = '_azure_ai_token_broker' ]; then
  _azure_ai_token_broker "$@"
else
  compdef _azure_ai_token_broker ${PROGRAM}
fi
`;
}

function fish({ specs }: Words): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const line = (rest: string): string => `complete -c ${PROGRAM} ${rest}`;
  const option = (condition: string) => (o: { flags: string; about: string; choices?: readonly string[] }) =>
    line(
      `${condition}-l ${flagOf(o.flags).slice(2)} -d ${quoted(o.about)}${o.flags.includes('<') ? ' -r' : ''}${
        o.choices === undefined ? '' : ` -a ${quoted(o.choices.join(' '))}`
      }`,
    );
  const commands = specs.flatMap((spec) => {
    const [first = '', second] = spec.name.split(' ');
    const seen = `-n ${quoted(`__fish_seen_subcommand_from ${second ?? first}`)} `;
    const offered =
      second === undefined
        ? line(`-n __fish_use_subcommand -a ${first} -d ${quoted(spec.about)}`)
        : line(`-n ${quoted(`__fish_seen_subcommand_from ${first}`)} -a ${second} -d ${quoted(spec.about)}`);
    return [offered, ...spec.options.map(option(seen))];
  });
  return `# fish completion of ${PROGRAM}\n${[...SHARED_OPTIONS.map(option('')), ...commands].join('\n')}\n`;
}

function pwsh({ cases, groups, firsts, seconds }: Words): string {
  const list = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');
  return `# PowerShell completion of ${PROGRAM}
Register-ArgumentCompleter -Native -CommandName ${PROGRAM} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($wordToComplete -ne '' -and $typed.Count -gt 0) { $typed = @($typed | Select-Object -SkipLast 1) }
  $words = switch -Wildcard (($typed -join ' ') + ' ') {
${cases.map((spec) => `    '${spec.name} *' { ${list([...seconds(spec.name), ...wordsOf(spec)])}; break }`).join('\n')}
${groups.map((first) => `    '${first} *' { ${list(seconds(first))}; break }`).join('\n')}
    default { ${list([...firsts, ...shared, '--help'])} }
  }
  $words | Where-Object { $_ -like "$wordToComplete*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`;
}

const SCRIPTS: Readonly<Record<string, (words: Words) => string>> = { bash, zsh, fish, pwsh };

export const SHELLS = Object.keys(SCRIPTS);

/** @returns undefined for a shell that there is none for */
export const completion = (shell: string, specs: readonly CommandSpec[]): string | undefined =>
  SCRIPTS[shell]?.(wordsFrom(specs));
