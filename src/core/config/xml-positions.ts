import sax from 'sax';
import { listed, quoted } from './suggest.js';
import { CHECK_QUOTES, CHECK_THE_LINE, explainMalformed } from './xml-words.js';

/**
 * Where the elements and attributes of an XML text stand. sax, which is also xml2js's parser, tells offsets; everything
 * that is not well-formed, and the parts of XML that configuration files must not use, are refused here.
 */

/** Something that is not well-formed, at an offset of the text. */
export class XmlFault extends Error {
  constructor(
    readonly code: 'xml-malformed' | 'xml-doctype' | 'unknown-attribute',
    message: string,
    readonly offset: number,
    readonly remedy: string,
  ) {
    super(message);
  }
}

export interface AttributePosition {
  name: string;
  nameOffset: number;
  /** Of the first character between the quotation marks. */
  valueOffset: number;
  /** Of the second quotation mark. */
  valueEnd: number;
}

export interface ElementPosition {
  name: string;
  /** Of its `<`. */
  offset: number;
  /** After the `>` of its opening tag. */
  tagEnd: number;
  /** After the `>` of its closing tag; the same as tagEnd for `<element/>`. */
  end: number;
  attributes: AttributePosition[];
  /** Of the first character of text directly in it that is not white space. */
  textOffset?: number;
}

/** No file of ours is deeper than three; the bound keeps deep nonsense from growing stacks. */
const DEPTH_MAX = 16;

/** Those every XML parser knows. sax would take HTML's as well, and the names of what every object inherits. */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

class PositionScanner {
  readonly elements: ElementPosition[] = [];
  readonly #text: string;
  readonly #parser = sax.parser(true);
  readonly #open: ElementPosition[] = [];
  /** Where the last tag, comment or the like ended: text, if any, begins there. */
  #markupEnd = 0;

  constructor(text: string) {
    this.#text = text;
    const parser = this.#parser;
    parser.ENTITIES = Object.assign(Object.create(null) as Record<string, string>, ENTITIES);
    parser.onattribute = ({ name }) => {
      this.#refuseInherited(name);
    };
    parser.onopentag = (tag) => {
      this.#openElement(tag.name);
    };
    parser.onclosetag = () => {
      const closed = this.#open.pop();
      if (closed !== undefined) closed.end = parser.position;
      this.#markupEnd = parser.position;
    };
    parser.ontext = parser.oncdata = (text) => {
      this.#noteText(text);
    };
    parser.oncomment = () => {
      this.#markupEnd = parser.position + 1;
    };
    parser.ondoctype = parser.onsgmldeclaration = () => {
      this.#refuseDeclaration();
    };
    parser.onerror = (error) => {
      this.#refuse(error.message.split('\n')[0] ?? '');
    };
  }

  scan(): ElementPosition[] {
    this.#parser.write(this.#text).close();
    if (this.elements.length === 0) {
      throw new XmlFault('xml-malformed', 'there is no element in this file', 0, CHECK_THE_LINE);
    }
    return this.elements;
  }

  #openElement(name: string): void {
    const offset = this.#parser.startTagPosition - 1;
    if (this.#open.length === 0 && this.elements.length > 0) {
      const message = `a second outermost element, ${quoted(`<${name}>`)}: a file holds one`;
      throw new XmlFault('xml-malformed', message, offset, 'Remove it, or put it into the first.');
    }
    if (this.#open.length >= DEPTH_MAX) {
      throw new XmlFault(
        'xml-malformed',
        'the elements are nested too deeply',
        offset,
        CHECK_THE_LINE,
      );
    }
    const tagEnd = this.#parser.position;
    const attributes = attributesOfTag(this.#text, offset, tagEnd);
    const element: ElementPosition = { name, offset, tagEnd, end: tagEnd, attributes };
    this.elements.push(element);
    this.#open.push(element);
    this.#markupEnd = tagEnd;
  }

  #noteText(text: string): void {
    const element = this.#open.at(-1);
    if (element === undefined || text.trim() === '') return;
    const blank = this.#text.slice(this.#markupEnd).search(/\S/);
    element.textOffset ??= this.#markupEnd + blank;
  }

  /** sax keeps attributes in a plain object; `hasOwnProperty=""` would break it. */
  #refuseInherited(name: string): void {
    if (!(name in Object.prototype)) return;
    const offset = this.#text.lastIndexOf(name, this.#parser.position);
    const message = `unknown attribute ${quoted(name)}`;
    throw new XmlFault('unknown-attribute', message, offset, 'Remove it.');
  }

  #refuseDeclaration(): never {
    const before = this.#text.slice(0, this.#parser.position);
    throw new XmlFault(
      'xml-doctype',
      'a document type or entity declaration: configuration files of izo have none',
      before.toUpperCase().lastIndexOf('<!DOCTYPE') >= 0
        ? before.toUpperCase().lastIndexOf('<!DOCTYPE')
        : before.lastIndexOf('<!'),
      'Remove the declaration.',
    );
  }

  #refuse(saying: string): never {
    const refusal = (message: string, offset: number, remedy: string): never => {
      throw new XmlFault('xml-malformed', message, offset, remedy);
    };
    const tagStart = Math.max(0, this.#parser.startTagPosition - 1);
    const open = this.#open.at(-1);
    const endsInTag = this.#text.lastIndexOf('<') > this.#text.lastIndexOf('>');
    if (saying === 'Unclosed root tag' && open !== undefined && !endsInTag) {
      const element = quoted(`<${open.name}>`);
      return refusal(`${element} is never closed`, open.offset, `Add \`</${open.name}>\`.`);
    }
    if (saying === 'Unclosed root tag' || saying === 'Unexpected end') {
      return refusal('the tag or comment that begins here never ends', tagStart, CHECK_QUOTES);
    }
    if (saying.startsWith('Unexpected close tag') || saying.startsWith('Unmatched closing tag')) {
      const tag = this.#text.slice(tagStart, this.#parser.position);
      const names = this.#open.map((each) => `<${each.name}>`);
      const message = `${quoted(tag)} does not close the innermost open element (open: ${listed(names)})`;
      return refusal(message, tagStart, 'Close the elements in the order in which they nest.');
    }
    const at = Math.max(0, this.#parser.position - 1);
    const isEntity = saying === 'Invalid character entity';
    const [message, remedy] = explainMalformed(saying);
    return refusal(message, isEntity ? this.#text.lastIndexOf('&', at) : at, remedy);
  }
}

/** Attributes of the tag that stands between two offsets of a text that sax has found to be well-formed. */
function attributesOfTag(text: string, from: number, to: number): AttributePosition[] {
  const attributes: AttributePosition[] = [];
  const tag = text.slice(from, to);
  for (const match of tag.matchAll(/([^\s=/"']+)\s*=\s*("[^"]*"|'[^']*')/g)) {
    const [whole, name = '', value = ''] = match;
    const nameOffset = from + match.index;
    const valueOffset = nameOffset + whole.length - value.length + 1;
    // XML forbids `<` in a value; sax lets it pass, and then a forgotten quotation mark is noticed far below.
    const angle = value.indexOf('<');
    if (angle >= 0) {
      const message = `the value of ${quoted(name)} contains \`<\``;
      throw new XmlFault('xml-malformed', message, valueOffset + angle - 1, CHECK_QUOTES);
    }
    const valueEnd = valueOffset + value.length - 2;
    attributes.push({ name, nameOffset, valueOffset, valueEnd });
  }
  return attributes;
}

/** Positions of all elements, in the order of their opening tags. @throws XmlFault */
export function scanPositions(text: string): ElementPosition[] {
  return new PositionScanner(text).scan();
}
