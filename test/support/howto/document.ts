/**
 * docs/howto.md as a script. What a reader types stands in fenced blocks after `HOST# `, with what is printed below it; what
 * a reader writes into a file stands in a block whose info string is `file HOST,HOST PATH`. Comments say what is about the
 * stage alone: `<!-- hosts NAME=ADDRESS ... -->` begins a story on new hosts, `<!-- run HOST: COMMAND -->` and
 * `<!-- copy HOST:PATH HOST:PATH -->` are what cannot be shown.
 */
export type Step =
  | {
      readonly kind: 'run';
      readonly host: string;
      readonly command: string;
      /** What is printed; `...` stands for anything, alone on a line for any lines. Empty: it does not matter. */
      readonly shown: readonly string[];
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
    const hosts =
      step.kind === 'run' ? [step.host] : step.kind === 'file' ? step.hosts : [step.from.host];
    for (const host of hosts) {
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
      this.#add({ kind: 'run', host, command, shown: [], line });
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
    let shown: string[] | undefined;
    for (const [index, text] of body.entries()) {
      const [, host = '', command = ''] = PROMPT.exec(text) ?? [];
      if (host !== '') {
        shown = [];
        this.#add({ kind: 'run', host, command, shown, line: first + index + 1 });
      } else if (shown === undefined) throw this.#mistake(first, 'no prompt');
      else shown.push(text);
    }
  }

  #mistake(line: number, what: string): Error {
    return new Error(`line ${line}: ${what}`);
  }
}

export function parseHowto(markdown: string): Story[] {
  return new Parser(markdown.split('\n')).parse();
}

/** What is printed, as a pattern for all of it. */
export function patternOf(shown: readonly string[]): RegExp {
  const escape = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
  const lines = shown.map((text) =>
    text === '...' ? '(?:.*\n)*' : `${text.split('...').map(escape).join('.*')}\n`,
  );
  return new RegExp(`^${lines.join('')}$`);
}
