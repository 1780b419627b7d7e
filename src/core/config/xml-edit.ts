import { mustRead } from './problem.js';
import { scanPositions, type ElementPosition } from './xml-positions.js';
import { parseXml, type XmlElement } from './xml-tree.js';

/**
 * Changes an XML file only where it must: what is there and right keeps its comments, its order and its white space.
 */

/** What an attribute should be. */
export interface AttributeWish {
  name: string;
  /** Undefined: it should not be there. */
  value: string | undefined;
  /** What a file means that lacks the attribute. */
  implied?: string;
}

/** What an element should be. Siblings are told apart by their attribute `name`, or else by their text. */
export interface ElementWish {
  element: string;
  attributes: readonly AttributeWish[];
  text?: string;
  /** All that should be in it: what else is there goes. Undefined: what is there stays. */
  children?: readonly ElementWish[];
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

function renderAttributes(attributes: readonly AttributeWish[]): string {
  return attributes
    .flatMap(({ name, value }) => (value === undefined ? [] : [` ${name}="${escape(value)}"`]))
    .join('');
}

/** The element as lines, each indented by `indent`, without a line end after the last. */
export function renderElement(wish: ElementWish, indent = '', eol = '\n'): string {
  const { element, attributes, text, children = [] } = wish;
  const start = `${indent}<${element}${renderAttributes(attributes)}`;
  if (text !== undefined) return `${start}>${escape(text)}</${element}>`;
  if (children.length === 0) return `${start}/>`;
  const inner = children.map((child) => renderElement(child, `${indent}  `, eol) + eol).join('');
  return `${start}>${eol}${inner}${indent}</${element}>`;
}

interface Splice {
  from: number;
  to: number;
  text: string;
}

/** An element with its values and its place in the text. */
interface Node {
  element: XmlElement;
  position: ElementPosition;
  children: Node[];
}

/** Both lists are in the order of the opening tags. */
function zip(element: XmlElement, positions: Iterator<ElementPosition, undefined>): Node {
  const position = positions.next().value;
  if (position?.name !== element.name) throw new Error('the tree and its positions disagree');
  return { element, position, children: element.children.map((child) => zip(child, positions)) };
}

function identity(element: string, name: string | undefined, text: string | undefined): string {
  return JSON.stringify([element, name ?? text ?? '']);
}

function identityOfNode({ element }: Node): string {
  const name = element.attributes.find((each) => each.name === 'name')?.value;
  return identity(element.name, name, element.text);
}

function identityOfWish({ element, attributes, text }: ElementWish): string {
  return identity(element, attributes.find((each) => each.name === 'name')?.value, text);
}

class Editor {
  readonly #splices: Splice[] = [];
  readonly #text: string;
  readonly #eol: string;

  constructor(text: string) {
    this.#text = text;
    this.#eol = text.includes('\r\n') ? '\r\n' : '\n';
  }

  apply(): string {
    let text = this.#text;
    for (const { from, to, text: by } of this.#splices.sort(
      (a, b) => b.from - a.from || b.to - a.to,
    )) {
      text = text.slice(0, from) + by + text.slice(to);
    }
    return text;
  }

  edit(node: Node, wish: ElementWish): void {
    this.#editAttributes(node, wish.attributes);
    if (wish.children === undefined) return;
    const there = new Map(node.children.map((child) => [identityOfNode(child), child]));
    const missing: ElementWish[] = [];
    for (const child of wish.children) {
      const id = identityOfWish(child);
      const found = there.get(id);
      there.delete(id);
      if (found === undefined) missing.push(child);
      else this.edit(found, child);
    }
    for (const surplus of there.values()) this.#remove(surplus);
    if (missing.length > 0) this.#insert(node, missing);
  }

  #editAttributes({ element, position }: Node, wishes: readonly AttributeWish[]): void {
    const missing: AttributeWish[] = [];
    for (const wish of wishes) {
      const found = element.attributes.find((each) => each.name === wish.name)?.value;
      if ((found ?? wish.implied) === (wish.value ?? wish.implied)) continue;
      const at = position.attributes.find((each) => each.name === wish.name);
      if (at === undefined) missing.push(wish);
      else if (wish.value === undefined) {
        const from = this.#text.slice(0, at.nameOffset).trimEnd().length;
        this.#splices.push({ from, to: at.valueEnd + 1, text: '' });
      } else {
        this.#splices.push({ from: at.valueOffset, to: at.valueEnd, text: escape(wish.value) });
      }
    }
    const last = position.attributes.at(-1);
    const end = last === undefined ? position.offset + 1 + element.name.length : last.valueEnd + 1;
    if (missing.length > 0)
      this.#splices.push({ from: end, to: end, text: renderAttributes(missing) });
  }

  /** With its line, where it has that for itself. */
  #remove({ position: { offset, end } }: Node): void {
    const before = /(?:\r?\n)?[ \t]*$/.exec(this.#text.slice(0, offset))?.[0] ?? '';
    const ownsLine = before.includes('\n') && /^[ \t]*(?:\r?\n|$)/.test(this.#text.slice(end));
    this.#splices.push({ from: ownsLine ? offset - before.length : offset, to: end, text: '' });
  }

  #insert(
    { element, position: { offset, tagEnd, end } }: Node,
    wishes: readonly ElementWish[],
  ): void {
    const eol = this.#eol;
    const indent = /(?:^|\n)([ \t]*)$/.exec(this.#text.slice(0, offset))?.[1] ?? '';
    const lines = wishes.map((each) => renderElement(each, `${indent}  `, eol) + eol).join('');
    const isEmptyTag = end === tagEnd && this.#text[tagEnd - 2] === '/';
    if (isEmptyTag) {
      const text = `>${eol}${lines}${indent}</${element.name}>`;
      this.#splices.push({ from: tagEnd - 2, to: tagEnd, text });
      return;
    }
    const close = this.#text.lastIndexOf('</', end - 1);
    const blank = /\n[ \t]*$/.exec(this.#text.slice(0, close))?.[0];
    if (blank === undefined) {
      this.#splices.push({ from: close, to: close, text: `${eol}${lines}${indent}` });
    } else {
      const from = close - blank.length + 1;
      this.#splices.push({ from, to: from, text: lines });
    }
  }
}

/**
 * The text with the least changes after which it says what is wished. @param file for messages
 * @throws IzoError where the text is not well-formed, or its outermost element is another one
 */
export function editXml(file: string, text: string, wish: ElementWish): string {
  const root = mustRead(parseXml(file, text));
  if (root.name !== wish.element) throw new Error('a file is read before it is edited');
  const editor = new Editor(text);
  editor.edit(
    zip(root, scanPositions(text).values() as Iterator<ElementPosition, undefined>),
    wish,
  );
  return editor.apply();
}
