/**
 * docs/howto.md as a script. What a reader types stands in fenced blocks after `HOST# `, with what is printed below it; what
 * a reader writes into a file stands in a block whose info string is `file HOST,HOST PATH`. Comments say what is about the
 * stage alone: `<!-- hosts NAME=ADDRESS ... -->` begins a story on new hosts, `<!-- run HOST: COMMAND -->` and
 * `<!-- copy HOST:PATH HOST:PATH -->` are what cannot be shown. `<!-- let HOST: WORD = COMMAND -->` has what the command
 * prints take the place of WORD from there on.
 *
 * Below what a command prints may stand what is typed then: `^C` for the interrupt character, `^V FILE` for what is in a file
 * of the host, pasted, and Enter. Such a command has a terminal. `=> N` is the exit code, where it is not 0.
 */
export type Step =
  | {
      readonly kind: 'run';
      readonly host: string;
      readonly command: string;
      /** What is printed; `...` stands for anything, alone on a line for any lines. Empty: it does not matter. */
      readonly shown: readonly string[];
      /** What is typed when that is there; undefined: the command has no terminal. */
      readonly typed: Typed | undefined;
      readonly exit: number;
      readonly line: number;
    }
  | {
      readonly kind: 'let';
      readonly host: string;
      readonly word: string;
      readonly command: string;
      readonly line: number;
    }
  | {
      readonly kind: 'file';
      readonly hosts: readonly string[];
      readonly path: string;
      readonly text: string;
      readonly line: number;
    }
  | { readonly kind: 'copy'; readonly from: Place; readonly to: Place; readonly line: number };

export type Typed = { readonly key: 'interrupt' } | { readonly paste: string };

export interface Place {
  readonly host: string;
  readonly path: string;
}

export interface Story {
  /** The heading that it stands below. */
  readonly title: string;
  /** The hosts' addresses. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly steps: Step[];
}

const PROMPT = /^(\w+)# (.+)$/;

/** A command as it is read, line by line. */
interface Command {
  readonly kind: 'run';
  readonly host: string;
  readonly command: string;
  readonly line: number;
  readonly shown: string[];
  typed: Typed | undefined;
  exit: number;
}

function commandOf(host: string, command: string, line: number): Command {
  return { kind: 'run', host, command, line, shown: [], typed: undefined, exit: 0 };
}

/** Takes in a line that stands below a command. */
function readBelow(step: Command, text: string): void {
  const [, file] = /^\^V (\S+)$/.exec(text) ?? [];
  const [, exit] = /^=> (\d+)$/.exec(text) ?? [];
  if (text === '^C') step.typed = { key: 'interrupt' };
  else if (file !== undefined) step.typed = { paste: file };
  else if (exit !== undefined) step.exit = Number(exit);
  else step.shown.push(text);
}

function hostsOf(step: Step): readonly string[] {
  if (step.kind === 'file') return step.hosts;
  return step.kind === 'copy' ? [step.from.host, step.to.host] : [step.host];
}

class Parser {
  readonly stories: Story[] = [];
  #title = '';
  #at = 0;

  constructor(private readonly lines: readonly string[]) {}

  parse(): Story[] {
    while (this.#at < this.lines.length) {
      const text = this.lines[this.#at] ?? '';
      const line = ++this.#at;
      const [, title] = /^##+ (.+)$/.exec(text) ?? [];
      if (title !== undefined) this.#title = title;
      else if (text.startsWith('```')) this.#fence(text.slice(3).trim(), line);
      else if (text.startsWith('<!--')) this.#comment(text, line);
    }
    return this.stories;
  }

  #add(step: Step): void {
    const story = this.stories.at(-1);
    if (story === undefined) throw this.#mistake(step.line, 'no hosts yet');
    for (const host of hostsOf(step)) {
      if (!story.hosts.has(host)) throw this.#mistake(step.line, `there is no host ${host}`);
    }
    story.steps.push(step);
  }

  #comment(text: string, line: number): void {
    const [, word = '', rest = ''] = /^<!-- (\w+) (.*) -->$/.exec(text) ?? [];
    if (word === 'hosts') {
      const hosts = new Map(rest.split(' ').map((each) => each.split('=') as [string, string]));
      this.stories.push({ title: this.#title, hosts, steps: [] });
    } else if (word === 'run') {
      const [, host = '', command = ''] = /^(\w+): (.+)$/.exec(rest) ?? [];
      this.#add(commandOf(host, command, line));
    } else if (word === 'let') {
      const [, host = '', name = '', command = ''] = /^(\w+): (\S+) = (.+)$/.exec(rest) ?? [];
      this.#add({ kind: 'let', host, word: name, command, line });
    } else if (word === 'copy') {
      const [from, to] = rest.split(' ').map((each) => {
        const [host = '', path = ''] = each.split(':');
        return { host, path };
      });
      if (from === undefined || to === undefined) throw this.#mistake(line, 'copies nothing');
      this.#add({ kind: 'copy', from, to, line });
    } else throw this.#mistake(line, 'unknown comment');
  }

  #fence(info: string, line: number): void {
    const end = this.lines.indexOf('```', this.#at);
    if (end < 0) throw this.#mistake(line, 'the block does not end');
    const body = this.lines.slice(this.#at, end);
    this.#at = end + 1;
    const [word, hosts = '', path = ''] = info.split(' ');
    if (word === 'file') {
      this.#add({
        kind: 'file',
        hosts: hosts.split(','),
        path,
        text: `${body.join('\n')}\n`,
        line,
      });
    } else if (word === '') this.#session(body, line);
    else throw this.#mistake(line, `a block of ${info}`);
  }

  #session(body: readonly string[], first: number): void {
    let step: Command | undefined;
    for (const [index, text] of body.entries()) {
      const [, host = '', command = ''] = PROMPT.exec(text) ?? [];
      if (host !== '') {
        step = commandOf(host, command, first + index + 1);
        this.#add(step);
      } else if (step === undefined) throw this.#mistake(first, 'no prompt');
      else readBelow(step, text);
    }
  }

  #mistake(line: number, what: string): Error {
    return new Error(`line ${line}: ${what}`);
  }
}

export function parseHowto(markdown: string): Story[] {
  return new Parser(markdown.split('\n')).parse();
}

/** What is printed, as a pattern for all of it, or for what there is already when something is `typed`. */
export function patternOf({
  shown,
  typed,
}: Pick<Step & { kind: 'run' }, 'shown' | 'typed'>): RegExp {
  const escape = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
  const lines = shown.map((text) =>
    text === '...' ? '(?:.*\n)*' : `${text.split('...').map(escape).join('.*')}\n`,
  );
  const all = lines.join('');
  return new RegExp(typed === undefined ? `^${all}$` : `^${all.trimEnd()}`);
}
