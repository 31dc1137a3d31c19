import type { DescribedOption } from './described-options.js';

/** A command as completions know it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly DescribedOption[];
}

/** The shells that there are completions for. */
export const shells = ['bash', 'zsh', 'fish'] as const;

const auths = ['bsdtcp', 'ssl', 'local', 'ssh', 'rsh', 'bsdudp', 'bsd'];
const CONFIGURATIONS = '/etc/amanda';

/** The completion of `rx-amanda` for a shell. */
export function completionFor(
  shell: (typeof shells)[number],
  commands: readonly CompletedCommand[],
): string {
  return { bash, zsh, fish }[shell](commands);
}

function bash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options }) => {
    const words = options.flatMap((option) => [
      `--${option.name}`,
      ...(option.short === undefined ? [] : [`-${option.short}`]),
    ]);
    return `    ${name}) words='${words.join(' ')}' ;;`;
  });
  return `# Completion of rx-amanda for bash. Generated: do not edit.
_rx_amanda() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    return
  fi
  case $previous in
    --auth) mapfile -t COMPREPLY < <(compgen -W '${auths.join(' ')}' -- "$current"); return ;;
    --config)
      mapfile -t COMPREPLY < <(cd ${CONFIGURATIONS} 2>/dev/null && compgen -d -- "$current")
      return ;;
  esac
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
  esac
}
complete -o default -F _rx_amanda rx-amanda
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options }) => {
    const specs = options.flatMap(zshSpecs).map((spec) => `        ${quoted(spec)}`);
    return `    ${name})\n      _arguments -S \\\n${specs.join(' \\\n')} \\\n        '*:file:_files'\n      ;;`;
  });
  const summaries = commands.map(
    ({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`,
  );
  return `#compdef rx-amanda
# Completion of rx-amanda for zsh. Generated: do not edit.
_rx-amanda() {
  local -a commands
  commands=(
${summaries.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT -= 1 ))
  case $command in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _rx-amanda ]; then _rx-amanda "$@"; else compdef _rx-amanda rx-amanda; fi
`;
}

/** The specification of an option, and that of its letter. */
function zshSpecs({ name, short, value, text }: DescribedOption): readonly string[] {
  const escape = (shown: string): string => shown.replace(/[\\[\]:]/g, '\\$&');
  const argument = value === undefined ? '' : `:${escape(value)}:${zshValues(name, value)}`;
  const rest = `[${escape(shortText(text))}]${argument}`;
  return [`*--${name}${rest}`, ...(short === undefined ? [] : [`*-${short}${rest}`])];
}

function zshValues(name: string, value: string): string {
  if (name === 'auth') return `(${auths.join(' ')})`;
  if (name === 'config') return `_files -W ${CONFIGURATIONS} -/`;
  return /FILE|DIR|PATH|PROGRAM/.test(value) ? '_files' : ' ';
}

function fish(commands: readonly CompletedCommand[]): string {
  const first = commands.map(
    ({ name, summary }) =>
      `complete -c rx-amanda -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
  );
  const rest = commands.flatMap(({ name, options }) =>
    options.map((option) => {
      const letter = option.short === undefined ? '' : ` -s ${option.short}`;
      const when = quoted(`__fish_seen_subcommand_from ${name}`);
      const what = `-l ${option.name}${letter}${fishValues(option)}`;
      return `complete -c rx-amanda -n ${when} ${what} -d ${quoted(shortText(option.text))}`;
    }),
  );
  return `# Completion of rx-amanda for fish. Generated: do not edit.\n${[...first, ...rest].join('\n')}\n`;
}

function fishValues({ name, value }: DescribedOption): string {
  if (name === 'auth') return ` -x -a ${quoted(auths.join(' '))}`;
  if (name === 'config') return ` -x -a ${quoted(`(command ls ${CONFIGURATIONS} 2>/dev/null)`)}`;
  return value === undefined ? '' : ' -r';
}

/** As much of a text as fits beside a word. */
function shortText(text: string): string {
  const [first = ''] = text.split(/; |\. /);
  return first.length > 60 ? `${first.slice(0, 59).trimEnd()}…` : first;
}

/** In single quotes, as all three shells read them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
