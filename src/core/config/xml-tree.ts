import { Parser } from 'xml2js';
import type { Place } from '../model/errors.js';
import type { Problem, Reading } from './problem.js';
import { scanPositions, XmlFault, type ElementPosition } from './xml-positions.js';

/** An attribute with its value, entities replaced. */
export interface XmlAttribute {
  name: string;
  value: string;
  place: Place;
  valuePlace: Place;
}

/** An element with all that a message about it needs. */
export interface XmlElement {
  name: string;
  place: Place;
  /** In the order of the file. A name that is given twice is there twice; the first has the value. */
  attributes: XmlAttribute[];
  children: XmlElement[];
  /** The text directly in it, without the white space around it. */
  text: string;
  /** Where that text begins; the element's place if there is none. */
  textPlace: Place;
}

// Keys no XML name can collide with, unlike xml2js's own `_`, `$` and `$$`.
const NAME = '#name';
const ATTRIBUTES = '#attributes';
const CHILDREN = '#children';
const TEXT = '#text';

/** What xml2js makes of an element with the options below. */
interface ValueNode {
  [NAME]: string;
  [ATTRIBUTES]?: Record<string, string>;
  [CHILDREN]?: ValueNode[];
  [TEXT]?: string;
}

function parseValues(text: string): ValueNode {
  const parser = new Parser({
    attrkey: ATTRIBUTES,
    childkey: CHILDREN,
    charkey: TEXT,
    explicitCharkey: true,
    explicitChildren: true,
    preserveChildrenOrder: true,
    explicitRoot: false,
  });
  // xml2js calls back before parseString returns, as long as its option `async` is off.
  const outcome: { error?: Error | null; root?: unknown } = {};
  parser.parseString(text, (error, root: unknown) => {
    outcome.error ??= error;
    outcome.root ??= root;
  });
  if (outcome.error) throw outcome.error;
  return outcome.root as ValueNode;
}

/** Turns offsets into lines and columns, both counted from 1. */
export class LineTable {
  readonly #starts = [0];

  constructor(
    readonly file: string,
    text: string,
  ) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1);
    }
  }

  place(offset: number): Place {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

/** Walks the value tree in the order in which the positions were taken, and puts both together. */
class TreeBuilder {
  #next = 0;

  constructor(
    readonly positions: readonly ElementPosition[],
    readonly lines: LineTable,
  ) {}

  build(node: ValueNode): XmlElement {
    const position = this.positions[this.#next];
    this.#next += 1;
    if (position?.name !== node[NAME])
      throw new Error('xml2js and sax disagree about the elements');
    const values = new Map(Object.entries(node[ATTRIBUTES] ?? {}));
    const place = this.lines.place(position.offset);
    const { textOffset } = position;
    return {
      name: node[NAME],
      place,
      attributes: position.attributes.map(({ name, nameOffset, valueOffset }) => ({
        name,
        value: values.get(name) ?? '',
        place: this.lines.place(nameOffset),
        valuePlace: this.lines.place(valueOffset),
      })),
      children: (node[CHILDREN] ?? []).map((child) => this.build(child)),
      text: (node[TEXT] ?? '').trim(),
      textPlace: textOffset === undefined ? place : this.lines.place(textOffset),
    };
  }
}

function faultAsProblem(error: unknown, lines: LineTable): Problem {
  if (error instanceof XmlFault) {
    const { code, message, offset, remedy } = error;
    return { severity: 'error', code, message, place: lines.place(offset), remedy };
  }
  // Neither library is free of surprises (an attribute called `hasOwnProperty` makes sax throw a TypeError).
  return {
    severity: 'error',
    code: 'xml-malformed',
    message: `malformed XML (${error instanceof Error ? error.message : String(error)})`,
    place: lines.place(0),
    remedy: 'Correct the XML; compare with the examples of `man 5 intermezzo`.',
  };
}

/** Parses one XML text into a tree in which everything knows its place. At most one problem: the first. */
export function parseXml(file: string, text: string): Reading<XmlElement> {
  const lines = new LineTable(file, text);
  try {
    const positions = scanPositions(text);
    return { value: new TreeBuilder(positions, lines).build(parseValues(text)), problems: [] };
  } catch (error) {
    return { value: undefined, problems: [faultAsProblem(error, lines)] };
  }
}
