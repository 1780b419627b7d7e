import type { Place } from '../model/errors.js';
import { readTextFile } from './text-file.js';
import { collectProblems, inFileOrder, type Reading, type Report } from './problem.js';
import { closest, didYouMean, listed, quoted } from './suggest.js';
import type { Check } from './values.js';
import { parseXml, type XmlElement } from './xml-tree.js';

/** What an element may carry. */
export interface ElementShape {
  required: readonly string[];
  optional: readonly string[];
  /** Names of the elements that may stand in it. */
  children?: readonly string[];
  /** It holds text and nothing else. */
  text?: boolean;
}

const EXAMPLES: Readonly<Record<string, string>> = {
  psdev: '/dev/intermezzo0',
  ipaddr: '192.168.0.3',
  servername: 'muskox',
};

function checkAttributes(element: XmlElement, shape: ElementShape, report: Report): void {
  const known = [...shape.required, ...shape.optional];
  const seen = new Set<string>();
  const tag = quoted(`<${element.name}>`);
  for (const { name, place } of element.attributes) {
    if (!known.includes(name)) {
      const remedy =
        known.length === 0
          ? `Remove it: ${tag} has no attributes${shape.text === true ? ', its text is the name' : ''}.`
          : `${didYouMean(name, known)}The attributes of ${tag} are ${listed(known)}.`;
      const message = `unknown attribute ${quoted(name)} of ${tag}`;
      report({ code: 'unknown-attribute', message, place, remedy });
    } else if (seen.has(name)) {
      const message = `attribute ${quoted(name)} of ${tag} is given twice`;
      report({ code: 'duplicate-attribute', message, place, remedy: 'Remove one of them.' });
    }
    seen.add(name);
  }
  const meant = new Set(
    [...seen].map((name) => (known.includes(name) ? name : closest(name, known))),
  );
  // One that is there but misspelt has been reported where it stands.
  for (const name of shape.required.filter((each) => !seen.has(each) && !meant.has(each))) {
    report({
      code: 'missing-attribute',
      message: `${tag} has no attribute ${quoted(name)}`,
      place: element.place,
      remedy: `Add it, for example: ${name}="${EXAMPLES[name] ?? 'NAME'}"`,
    });
  }
}

function checkContents(element: XmlElement, shape: ElementShape, report: Report): void {
  const tag = quoted(`<${element.name}>`);
  const allowed = shape.children ?? [];
  for (const child of element.children.filter((each) => !allowed.includes(each.name))) {
    const message = `unknown element ${quoted(`<${child.name}>`)} in ${tag}`;
    const remedy =
      allowed.length === 0
        ? `${tag} holds no elements: remove it.`
        : `${didYouMean(child.name, allowed)}${tag} may hold ${listed(allowed.map((name) => `<${name}>`))}.`;
    report({ code: 'unknown-element', message, place: child.place, remedy });
  }
  if (shape.text !== true && element.text !== '') {
    const message = `text ${quoted(element.text)} in ${tag}`;
    const remedy = 'Remove it, or make it a comment: <!-- ... -->';
    report({ code: 'stray-text', message, place: element.textPlace, remedy });
  }
}

/** Reports everything in an element that its shape does not know, and what it lacks. */
export function checkShape(element: XmlElement, shape: ElementShape, report: Report): void {
  checkAttributes(element, shape, report);
  checkContents(element, shape, report);
}

/** The children of that name. Others have been reported by checkShape. */
export function childrenNamed(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

function checkValue<T>(text: string, place: Place, check: Check<T>, report: Report): T | undefined {
  const checked = check(text);
  if ('value' in checked) return checked.value;
  report({ ...checked.refusal, place });
  return undefined;
}

/** The value of an attribute; undefined where it is missing or was refused (and reported). */
export function attributeValue<T>(
  element: XmlElement,
  name: string,
  check: Check<T>,
  report: Report,
): T | undefined {
  const attribute = element.attributes.find((each) => each.name === name);
  if (attribute === undefined) return undefined;
  return checkValue(attribute.value, attribute.valuePlace, check, report);
}

/** Where an attribute's value stands, or its element if there is none. */
export function attributePlace(element: XmlElement, name: string): Place {
  return element.attributes.find((each) => each.name === name)?.valuePlace ?? element.place;
}

/** The text of an element, checked as a value. */
export function textValue<T>(element: XmlElement, check: Check<T>, report: Report): T | undefined {
  return checkValue(element.text, element.textPlace, check, report);
}

/** What kind of file it is and how it is understood. */
export interface FileFormat<T> {
  root: string;
  /** The sentence for a file that is missing or empty. */
  whatMakesIt: string;
  read: (root: XmlElement, report: Report) => T | undefined;
}

/** Reads the text of one configuration file: all that can be understood, and all problems in file order. */
export function readConfigText<T>(file: string, text: string, format: FileFormat<T>): Reading<T> {
  const tree = parseXml(file, text);
  if (tree.value === undefined) return { value: undefined, problems: tree.problems };
  const { problems, report } = collectProblems();
  if (tree.value.name !== format.root) {
    report({
      code: 'unknown-element',
      message: `the file holds ${quoted(`<${tree.value.name}>`)}, not \`<${format.root}>\``,
      place: tree.value.place,
      remedy: `${didYouMean(tree.value.name, [format.root])}The outermost element must be \`<${format.root}>\`.`,
    });
    return { value: undefined, problems };
  }
  const value = format.read(tree.value, report);
  return { value, problems: inFileOrder(problems) };
}

/** The same for a file. */
export function readConfigFile<T>(file: string, format: FileFormat<T>): Reading<T> {
  const result = readTextFile(file, format.root, format.whatMakesIt);
  if ('problem' in result) return { value: undefined, problems: [result.problem] };
  return readConfigText(file, result.text, format);
}
