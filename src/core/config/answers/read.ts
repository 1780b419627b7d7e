import { DEFAULT_IDFILE } from '../config-files.js';
import { attributePlace, attributeValue, checkShape } from '../elements.js';
import { readFileset } from '../fsetdb.js';
import { CACHE_TYPES } from '../mount-options.js';
import { collectProblems, inFileOrder, mustRead, type Report } from '../problem.js';
import { readServer } from '../serverdb.js';
import { SYSID } from '../sysid.js';
import { checkName, checkPsdev, checkWord } from '../values.js';
import type { XmlElement } from '../xml-tree.js';
import {
  ANSWER_KINDS,
  DEFAULT_OPTIONS,
  noAnswers,
  type AnswerKind,
  type Answers,
  type MountAnswer,
  type NameAnswer,
  type Removal,
  type SysidAnswer,
} from './answers.js';
import { checkIdfile, checkOptions, checkPath, checkSize } from './checks.js';

function readSysidAnswer(
  element: XmlElement,
  idfile: string,
  report: Report,
): SysidAnswer | undefined {
  const isNamed = element.attributes.some(({ name }) => name === 'file');
  const file = isNamed ? attributeValue(element, 'file', checkIdfile, report) : idfile;
  // The rest is what a sysid file holds.
  const attributes = element.attributes.filter(({ name }) => name !== 'file');
  const sysid = SYSID.read({ ...element, attributes }, report);
  return sysid === undefined || file === undefined ? undefined : { ...sysid, file };
}

const MOUNT = {
  required: ['mtpt', 'fileset', 'cache'],
  optional: ['prestodev', 'cache_type', 'size', 'options'],
} as const;

function readMount(element: XmlElement, report: Report): MountAnswer | undefined {
  checkShape(element, MOUNT, report);
  const fileset = attributeValue(element, 'fileset', checkName, report);
  const cache = attributeValue(element, 'cache', checkPath, report);
  const mtpt = attributeValue(element, 'mtpt', checkPath, report);
  const prestodev = attributeValue(element, 'prestodev', checkPsdev, report);
  const checkType = checkWord(CACHE_TYPES, 'bad-cache-type');
  const cacheType = attributeValue(element, 'cache_type', checkType, report) ?? 'ext3';
  const size = attributeValue(element, 'size', checkSize, report);
  const options = attributeValue(element, 'options', checkOptions, report) ?? DEFAULT_OPTIONS;
  if (fileset === undefined || cache === undefined || mtpt === undefined) return undefined;
  const optional = {
    ...(prestodev === undefined ? {} : { prestodev }),
    ...(size === undefined ? {} : { size }),
  };
  return { fileset, cache, mtpt, cacheType, options, ...optional, place: element.place };
}

function readInvitation(element: XmlElement, report: Report): NameAnswer | undefined {
  checkShape(element, { required: ['name'], optional: [] }, report);
  const name = attributeValue(element, 'name', checkName, report);
  return name === undefined ? undefined : { name, place: attributePlace(element, 'name') };
}

function readRemovals(element: XmlElement, report: Report): Removal[] {
  checkShape(element, { required: [], optional: ['server', 'fileset', 'mount'] }, report);
  return (['server', 'fileset', 'mount'] as const).flatMap((kind) => {
    const check = kind === 'mount' ? checkPath : checkName;
    const name = attributeValue(element, kind, check, report);
    return name === undefined ? [] : [{ kind, name, place: attributePlace(element, kind) }];
  });
}

function push<T>(list: T[], value: T | undefined): void {
  if (value !== undefined) list.push(value);
}

function isKind(name: string): name is AnswerKind {
  return (ANSWER_KINDS as readonly string[]).includes(name);
}

function take(element: XmlElement, idfile: string, answers: Answers, report: Report): void {
  if (!isKind(element.name)) return;
  switch (element.name) {
    case 'sysid':
      push(answers.sysids, readSysidAnswer(element, idfile, report));
      return;
    case 'server':
      push(answers.servers, readServer(element, report));
      return;
    case 'fileset':
      push(answers.filesets, readFileset(element, report));
      return;
    case 'mount':
      push(answers.mounts, readMount(element, report));
      return;
    case 'invite':
      push(answers.invitations, readInvitation(element, report));
      return;
    case 'remove':
      answers.removals.push(...readRemovals(element, report));
  }
}

/** Two answers about the same thing: which of them is meant? */
function refuseTwice(answers: Answers, report: Report): void {
  const lists: [string, { id: string; place: NameAnswer['place'] }[]][] = [
    ['sysid file', answers.sysids.map(({ file: id, place }) => ({ id, place }))],
    ['server', answers.servers.map(({ name: id, place }) => ({ id, place }))],
    ['fileset', answers.filesets.map(({ name: id, place }) => ({ id, place }))],
    ['mount', answers.mounts.map(({ mtpt: id, place }) => ({ id, place }))],
  ];
  for (const [what, list] of lists) {
    const seen = new Set<string>();
    for (const { id, place } of list) {
      if (seen.has(id)) {
        const message = `there are two answers about the ${what} \`${id}\``;
        report({ code: 'duplicate-answer', message, place, remedy: 'Remove one of the two.' });
      }
      seen.add(id);
    }
  }
}

/**
 * What the answers say, if all of it is right. @param idfile the sysid file that is meant where none is named
 * @throws IzoError: the first thing that is wrong, with its place
 */
export function readAnswers(tree: XmlElement, idfile = DEFAULT_IDFILE): Answers {
  const { problems, report } = collectProblems();
  checkShape(tree, { required: [], optional: [], children: ANSWER_KINDS }, report);
  const answers = noAnswers();
  for (const child of tree.children) take(child, idfile, answers, report);
  refuseTwice(answers, report);
  return mustRead({ value: answers, problems: inFileOrder(problems) });
}
