/** What a file of the Perl era can say as data. */
export type PerlValue = string | PerlValue[] | PerlHash;

/** A hash in the order of the file. */
export interface PerlHash {
  pairs: [string, PerlValue][];
}

/** Something that is not data, at an offset of the text. */
export class PerlFault extends Error {
  constructor(
    readonly offset: number,
    message: string,
  ) {
    super(message);
  }
}

export function isHash(value: PerlValue | undefined): value is PerlHash {
  return typeof value === 'object' && 'pairs' in value;
}

/** No file is deeper than a hash of hashes of lists. */
const DEPTH_MAX = 8;

const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '<': '>' };

/**
 * Understands data as Perl writes them: scalars, lists, hashes, `qw(...)`, comments, assignments. Nothing is run, and
 * whatever would have to be run is refused.
 */
class PerlReader {
  #at = 0;

  constructor(private readonly text: string) {}

  /** All values of the file, by the names they are assigned to: `$sysid = ...`, or '' where they stand alone. */
  read(): Map<string, PerlValue> {
    const values = new Map<string, PerlValue>();
    for (;;) {
      this.#skip();
      if (this.#at >= this.text.length || /^__(END|DATA)__/.test(this.#rest())) return values;
      if (this.#take(/^;/) !== undefined) continue;
      // What a file that is read with `require` ends in.
      if (this.#take(/^1\s*;?\s*$/) !== undefined) return values;
      if (this.#take(/^(use\s+(strict|vars|warnings)\b[^;]*|package\s+[\w:]+)\s*;/)) continue;
      const name = this.#take(/^(?:(?:my|our|local)\s+)?[$%@]([\w:]+)\s*=\s*/) ?? '';
      if (values.has(name)) this.#fail(name === '' ? 'more than one value' : 'a second value');
      values.set(name, this.#value(0));
      this.#skip();
      if (this.#at < this.text.length && this.#take(/^;/) === undefined) {
        this.#fail('something that is no data');
      }
    }
  }

  #rest(): string {
    return this.text.slice(this.#at);
  }

  /** Blanks, comments, and pod. */
  #skip(): void {
    this.#take(/^(\s+|#[^\n]*|(?<![^\n])=[a-z]\w*[\s\S]*?\n=cut[^\n]*)+/);
  }

  /** Passes what the pattern matches here. @returns its last group, or all of it */
  #take(pattern: RegExp): string | undefined {
    const match = pattern.exec(this.#rest());
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match[1] ?? match[0];
  }

  #fail(what: string): never {
    throw new PerlFault(this.#at, what);
  }

  #value(depth: number): PerlValue {
    if (depth > DEPTH_MAX) this.#fail('data nested too deeply');
    this.#skip();
    const open = this.#take(/^\\?([{[(])/);
    if (open !== undefined) return this.#many(open, depth);
    const words = this.#words();
    return words ?? this.#scalar();
  }

  #words(): string[] | undefined {
    const open = this.#take(/^qw\s*([({[</|!])/);
    if (open === undefined) return undefined;
    const end = this.text.indexOf(CLOSES[open] ?? open, this.#at);
    if (end < 0) this.#fail('a list that never ends');
    const words = this.text.slice(this.#at, end).trim();
    this.#at = end + 1;
    return words === '' ? [] : words.split(/\s+/);
  }

  #scalar(): string {
    const quote = /^["']/.exec(this.#rest())?.[0];
    if (quote !== undefined) return this.#string(quote);
    const bare = this.#take(/^-?[A-Za-z0-9_][\w.:/-]*/);
    if (bare === undefined) this.#fail('something that is no data');
    return bare;
  }

  #string(quote: string): string {
    const pattern = quote === '"' ? /^"((?:[^"\\]|\\[\s\S])*)"/ : /^'((?:[^'\\]|\\[\s\S])*)'/;
    const begin = this.#at;
    const inside = this.#take(pattern);
    if (inside === undefined) this.#fail('a string that never ends');
    // Taken as it is where it is empty.
    const raw = inside === quote + quote ? '' : inside;
    if (quote === '"' && /(?<!\\)[$@]/.test(raw)) {
      this.#at = begin;
      this.#fail('a string that Perl would compute');
    }
    return raw.replace(/\\([\s\S])/g, (whole, character: string) =>
      quote === '"' && /[a-zA-Z0-9]/.test(character) ? whole : character,
    );
  }

  /** A hash where there are arrows or braces, else a list. */
  #many(open: string, depth: number): PerlValue {
    const close = CLOSES[open] ?? '';
    const items: PerlValue[] = [];
    let arrows = 0;
    for (;;) {
      this.#skip();
      if (this.#take(new RegExp(`^\\${close}`)) !== undefined) break;
      if (this.#at >= this.text.length) this.#fail(`a ${open} without its ${close}`);
      // Words stand for themselves: [ qw(a b) ] is [ 'a', 'b' ].
      const words = this.#words();
      items.push(...(words ?? [this.#value(depth + 1)]));
      this.#skip();
      if (this.#take(/^=>/) !== undefined) arrows += 1;
      else if (this.#take(/^,+/) === undefined && !this.#rest().startsWith(close)) {
        this.#fail('something that is no data');
      }
    }
    return open === '{' || arrows > 0 ? this.#hash(items) : items;
  }

  #hash(items: readonly PerlValue[]): PerlHash {
    const pairs: [string, PerlValue][] = [];
    for (let at = 0; at < items.length; at += 2) {
      const [key, value] = items.slice(at, at + 2);
      if (typeof key !== 'string' || value === undefined) this.#fail('a hash with a key alone');
      pairs.push([key, value]);
    }
    return { pairs };
  }
}

/** @throws PerlFault */
export function parsePerl(text: string): Map<string, PerlValue> {
  return new PerlReader(text).read();
}
