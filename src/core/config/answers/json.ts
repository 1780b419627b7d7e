import { IzoError, type Place } from '../../model/errors.js';
import { LineTable } from '../xml-tree.js';

/** A JSON text as a tree in which everything knows its place, so that messages can point there. */
export type JsonNode = { place: Place } & (
  | { kind: 'object'; members: JsonMember[] }
  | { kind: 'array'; items: JsonNode[] }
  | { kind: 'string' | 'number' | 'word'; text: string }
);

export interface JsonMember {
  name: string;
  place: Place;
  value: JsonNode;
}

/** Answers are three deep; the bound keeps deep nonsense from growing the stack. */
const DEPTH_MAX = 16;

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Walks a text of which JSON.parse has said that it is well-formed: nothing is checked twice. */
class Walker {
  readonly #tokens: RegExpExecArray[];
  #next = 0;

  constructor(
    text: string,
    readonly lines: LineTable,
  ) {
    this.#tokens = [...text.matchAll(TOKEN)];
  }

  walk(depth = 0): JsonNode {
    const { text, place } = this.#take();
    if (depth > DEPTH_MAX) {
      throw new IzoError('answers-json', 'the answers are nested too deeply', { place });
    }
    if (text === '{') return { kind: 'object', place, members: this.#members(depth) };
    if (text === '[') return { kind: 'array', place, items: this.#items(depth) };
    if (text.startsWith('"')) return { kind: 'string', place, text: JSON.parse(text) as string };
    return { kind: /^[-0-9]/.test(text) ? 'number' : 'word', place, text };
  }

  #members(depth: number): JsonMember[] {
    const members: JsonMember[] = [];
    while (!this.#skip('}')) {
      const { text, place } = this.#take();
      this.#skip(':');
      members.push({ name: JSON.parse(text) as string, place, value: this.walk(depth + 1) });
      this.#skip(',');
    }
    return members;
  }

  #items(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    while (!this.#skip(']')) {
      items.push(this.walk(depth + 1));
      this.#skip(',');
    }
    return items;
  }

  #take(): { text: string; place: Place } {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new Error('JSON.parse has seen the end of this text');
    this.#next += 1;
    return { text: token[0], place: this.lines.place(token.index) };
  }

  #skip(text: string): boolean {
    if (this.#tokens[this.#next]?.[0] !== text) return false;
    this.#next += 1;
    return true;
  }
}

/** Where JSON.parse says that it could go no further; without such words the end of the text. */
function faultOffset(message: string, text: string): number {
  const [, position] = /position (\d+)/.exec(message) ?? [];
  return position === undefined ? text.trimEnd().length : Number(position);
}

/** @throws IzoError `answers-json`, with the place */
export function parseJson(file: string, text: string): JsonNode {
  const lines = new LineTable(file, text);
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new IzoError('answers-json', 'this is not JSON from here on', {
      place: lines.place(faultOffset(message, text)),
      remedy: 'Look for a missing or surplus comma, quotation mark or bracket.',
    });
  }
  return new Walker(text, lines).walk();
}
