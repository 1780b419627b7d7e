/** A command, as far as a shell completes it. */
export interface CompletableCommand {
  /** `kml:dump` */
  readonly id: string;
  readonly summary?: string | undefined;
  readonly flags: Readonly<
    Record<string, { name: string; char?: string; hidden?: boolean; options?: readonly string[] }>
  >;
}

/** What is typed -> the words that may follow. */
interface Choices {
  /** The typed words of a command or a topic -> next words. */
  readonly words: ReadonlyMap<string, readonly string[]>;
  /** The words of a command -> its flags. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** Flag -> its values, where they are a list. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

function choicesOf(commands: readonly CompletableCommand[]): Choices {
  const words = new Map<string, string[]>();
  const flags = new Map<string, string[]>();
  const values = new Map<string, readonly string[]>();
  for (const { id, flags: own } of commands) {
    const parts = id.split(':');
    for (const [depth, part] of parts.entries()) {
      const before = parts.slice(0, depth).join(' ');
      const next = words.get(before) ?? [];
      if (!next.includes(part)) words.set(before, [...next, part]);
    }
    const shown = Object.values(own).filter((flag) => flag.hidden !== true);
    flags.set(parts.join(' '), [...shown.map(({ name }) => `--${name}`), '--help'].sort());
    for (const { name, options } of shown) {
      if (options !== undefined) values.set(`${parts.join(' ')} --${name}`, options);
    }
  }
  return { words, flags, values };
}

function cases(entries: Iterable<readonly [string, readonly string[]]>, indent: string): string {
  return [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, list]) => `${indent}'${key}') words='${list.join(' ')}' ;;`)
    .join('\n');
}

/** For bash-completion: commands, flags, values of flags; files everywhere else. */
export function bashCompletion(commands: readonly CompletableCommand[]): string {
  const { words, flags, values } = choicesOf(commands);
  return `# Made by izo install.
_izo() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" typed='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    case " $(_izo_words "$typed") " in *" $word "*) typed="\${typed:+$typed }$word" ;; *) break ;; esac
  done
  case "$typed $previous" in
${cases(values, '    ')}
  esac
  if [ -z "$words" ]; then
    case "$current" in
      -*) words="$(_izo_flags "$typed")" ;;
      *) words="$(_izo_words "$typed")" ;;
    esac
  fi
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
_izo_words() {
  local words=''
  case "$1" in
${cases(words, '    ')}
  esac
  echo "$words"
}
_izo_flags() {
  local words=''
  case "$1" in
${cases(flags, '    ')}
  esac
  echo "$words"
}
complete -F _izo izo
`;
}

/** zsh runs the functions of bash. */
export function zshCompletion(commands: readonly CompletableCommand[]): string {
  return `#compdef izo
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(commands).replace('compopt -o filenames 2>/dev/null', ':')}`;
}
