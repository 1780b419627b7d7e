import { IzoError, type Place } from '../../model/errors.js';
import { quoted } from '../suggest.js';
import type { XmlAttribute, XmlElement } from '../xml-tree.js';
import { parseJson, type JsonMember, type JsonNode } from './json.js';

/**
 * The two forms of answers. Both become the elements that the configuration files are made of, so that what is checked
 * there is checked here, in the same words.
 *
 *   server muskox ipaddr=192.168.0.3
 *   fileset shared servername=muskox replicator=clientA,clientB
 *   invite clientA
 *
 *   {"server": {"name": "muskox", "ipaddr": "192.168.0.3"},
 *    "fileset": [{"name": "shared", "servername": "muskox", "replicator": ["clientA", "clientB"]}],
 *    "invite": ["clientA"]}
 */

/** What a first word without a key, or a lone text in JSON, is the value of. */
const HEADS: Readonly<Record<string, string | undefined>> = {
  sysid: 'name',
  server: 'name',
  fileset: 'name',
  invite: 'name',
  mount: 'mtpt',
  remove: undefined,
};

/** A kind that nobody knows is refused as a whole: its first word is none of its faults. */
function headOf(kind: string): string | undefined {
  return Object.hasOwn(HEADS, kind) ? HEADS[kind] : 'name';
}

/** What may be there several times in one answer; in the files it is an element of its own. */
const LISTS = new Set(['replicator']);

interface Value {
  name: string;
  place: Place;
  text: string;
  valuePlace: Place;
}

function element(name: string, place: Place, values: readonly Value[]): XmlElement {
  const attributes: XmlAttribute[] = [];
  const children: XmlElement[] = [];
  for (const { name: key, place: at, text, valuePlace } of values) {
    if (LISTS.has(key)) {
      const leaf = { name: key, place: at, attributes: [], children: [] };
      children.push({ ...leaf, text, textPlace: valuePlace });
    } else attributes.push({ name: key, value: text, place: at, valuePlace });
  }
  return { name, place, attributes, children, text: '', textPlace: place };
}

function root(file: string, children: XmlElement[]): XmlElement {
  const place = { file, line: 1, column: 1 };
  return { name: 'answers', place, attributes: [], children, text: '', textPlace: place };
}

/** key=value, key="a value", or anything else up to the next blank, which is wrong. */
const WORD = /([^\s="#]+)=(?:"([^"]*)"|([^\s"]*))(?=\s|$)|#.*|\S+/g;

function valuesOfWord(match: RegExpExecArray, at: Place, head: string | undefined): Value[] {
  const [whole, name, inQuotes, bare] = match;
  const { file, line = 1 } = at;
  const column = match.index + 1;
  const place = { file, line, column };
  if (name === undefined) {
    if (head !== undefined && !whole.includes('=')) {
      return [{ name: head, place, text: whole, valuePlace: place }];
    }
    throw new IzoError('answers-text', `${quoted(whole)} is not of the form key=value`, {
      place,
      remedy: 'Write key=value without blanks, or key="a value".',
    });
  }
  const start = column + name.length + 1 + (inQuotes === undefined ? 0 : 1);
  const text = inQuotes ?? bare ?? '';
  const parts = LISTS.has(name) ? text.split(',') : [text];
  let offset = 0;
  return parts.map((part) => {
    const value = { name, place, text: part, valuePlace: { file, line, column: start + offset } };
    offset += part.length + 1;
    return value;
  });
}

/** One answer: the rest of a line, or the value of a flag of that name. */
export function answerOfText(kind: string, text: string, place: Place): XmlElement {
  const { column = 1 } = place;
  // Blanks instead of what stands before, so that columns are those of the line.
  const matches = (' '.repeat(column - 1) + text).matchAll(WORD);
  const values = [...matches]
    .filter(([whole]) => !whole.startsWith('#'))
    .flatMap((match, index) => valuesOfWord(match, place, index === 0 ? headOf(kind) : undefined));
  return element(kind, place, values);
}

function answersOfText(file: string, text: string): XmlElement {
  const children = text.split('\n').flatMap((line, index) => {
    const [, before = '', kind] = /^(\s*)([^\s#]+)/.exec(line) ?? [];
    if (kind === undefined) return [];
    const column = before.length + 1;
    const rest = ' '.repeat(kind.length) + line.slice(before.length + kind.length);
    return [answerOfText(kind, rest, { file, line: index + 1, column })];
  });
  return root(file, children);
}

function wrongKind({ place }: JsonNode, message: string, remedy: string): never {
  throw new IzoError('answers-json', message, { place, remedy });
}

function textOf(node: JsonNode, name: string): string {
  if (node.kind === 'string' || node.kind === 'number') return node.text;
  return wrongKind(node, `the value of ${quoted(name)} is no text`, 'Write it in quotation marks.');
}

function valuesOfMember({ name, place, value }: JsonMember): Value[] {
  const items = value.kind === 'array' && LISTS.has(name) ? value.items : [value];
  return items.map((item) => ({ name, place, text: textOf(item, name), valuePlace: item.place }));
}

function answersOfMember({ name, value }: JsonMember): XmlElement[] {
  return (value.kind === 'array' ? value.items : [value]).map((item) => {
    if (item.kind === 'object')
      return element(name, item.place, item.members.flatMap(valuesOfMember));
    const head = headOf(name);
    if (item.kind === 'string' && head !== undefined) {
      const { place, text } = item;
      return element(name, place, [{ name: head, place, text, valuePlace: place }]);
    }
    return wrongKind(
      item,
      `${quoted(name)} must hold objects`,
      `Write {"${name}": [{...}, {...}]}.`,
    );
  });
}

function answersOfJson(file: string, text: string): XmlElement {
  const tree = parseJson(file, text);
  if (tree.kind !== 'object')
    wrongKind(tree, 'the answers are no object', 'Write {"sysid": {...}}.');
  return root(file, tree.members.flatMap(answersOfMember));
}

/** Both forms: what begins with a brace is JSON. @throws IzoError `answers-json`, `answers-text` */
export function answersTree(file: string, text: string): XmlElement {
  return /^\s*[{[]/.test(text) ? answersOfJson(file, text) : answersOfText(file, text);
}
