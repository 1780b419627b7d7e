import { formatPlace, type Place } from '../model/errors.js';
import {
  attributePlace,
  attributeValue,
  checkShape,
  childrenNamed,
  readConfigFile,
  textValue,
  type FileFormat,
} from './elements.js';
import type { Reading, Report } from './problem.js';
import { quoted } from './suggest.js';
import { checkLogSize, checkName, checkWord } from './values.js';
import type { XmlElement } from './xml-tree.js';

/** What a host that cannot reach the server does with updates: go on and journal, or answer EROFS. */
export const DISCONNECTED_POLICIES = ['write', 'readonly'] as const;
export type DisconnectedPolicy = (typeof DISCONNECTED_POLICIES)[number];

/** What becomes of two updates that collided; see docs, "Conflicts". */
export const CONFLICT_POLICIES = ['keep-both', 'server', 'client', 'manual'] as const;
export type ConflictPolicy = (typeof CONFLICT_POLICIES)[number];

/** How large files' contents come over the network. */
export const COMPRESSIONS = ['none', 'deflate'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** A replicated tree: who serves it and who replicates it. */
export interface Fileset {
  name: string;
  servername: string;
  replicators: string[];
  /** Attributes of izo; files of 2001 have none of them. */
  policy: DisconnectedPolicy;
  conflicts: ConflictPolicy;
  /** Bytes of this host's log that are kept: though everybody has them; for those who do not. See man 5 intermezzo. */
  history?: number;
  backlog?: number;
  /** Of the contents that this host fetches; `none` where it is not said. */
  compression?: Compression;
  place: Place;
  /** Places inside it, for messages about what other files say. Not there in filesets that no file holds yet. */
  places?: { servername: Place; replicators: Place[] };
}

export const FILESET_SHAPE = {
  required: ['name', 'servername'],
  optional: ['policy', 'conflicts', 'history', 'backlog', 'compression'],
  children: ['replicator'],
} as const;

interface NamedPlace {
  name: string;
  place: Place;
}

function readReplicator(element: XmlElement, report: Report): string | undefined {
  checkShape(element, { required: [], optional: [], text: true }, report);
  if (element.text !== '') return textValue(element, checkName, report);
  // <replicator name="clientA" /> has been reported for its attribute.
  if (element.attributes.length === 0) {
    report({
      code: 'bad-name',
      message: 'the name of the replicator is missing',
      place: element.textPlace,
      remedy: 'Write `<replicator>NAME</replicator>`.',
    });
  }
  return undefined;
}

function readReplicators(element: XmlElement, report: Report): NamedPlace[] {
  const replicators = new Map<string, NamedPlace>();
  for (const child of childrenNamed(element, 'replicator')) {
    const name = readReplicator(child, report);
    if (name === undefined) continue;
    if (replicators.has(name)) {
      report({
        code: 'duplicate-replicator',
        message: `host ${quoted(name)} is listed twice as a replicator`,
        place: child.textPlace,
        remedy: 'Remove one of the two.',
      });
    } else {
      replicators.set(name, { name, place: child.textPlace });
    }
  }
  return [...replicators.values()];
}

/** Understands one `<fileset>`, wherever it stands. */
export function readFileset(element: XmlElement, report: Report): Fileset | undefined {
  checkShape(element, FILESET_SHAPE, report);
  const name = attributeValue(element, 'name', checkName, report);
  const servername = attributeValue(element, 'servername', checkName, report);
  const checkPolicy = checkWord(DISCONNECTED_POLICIES, 'bad-policy');
  const checkConflicts = checkWord(CONFLICT_POLICIES, 'bad-conflicts');
  const policy = attributeValue(element, 'policy', checkPolicy, report) ?? 'write';
  const conflicts = attributeValue(element, 'conflicts', checkConflicts, report) ?? 'keep-both';
  const history = attributeValue(element, 'history', checkLogSize, report);
  const backlog = attributeValue(element, 'backlog', checkLogSize, report);
  const checkCompression = checkWord(COMPRESSIONS, 'bad-compression');
  const compression = attributeValue(element, 'compression', checkCompression, report);
  const replicators = readReplicators(element, report);
  if (name === undefined || servername === undefined) return undefined;
  return {
    name,
    servername,
    replicators: replicators.map((each) => each.name),
    policy,
    conflicts,
    ...(history === undefined ? {} : { history }),
    ...(backlog === undefined ? {} : { backlog }),
    ...(compression === undefined ? {} : { compression }),
    place: element.place,
    places: {
      servername: attributePlace(element, 'servername'),
      replicators: replicators.map((each) => each.place),
    },
  };
}

export const FSETDB: FileFormat<Fileset[]> = {
  root: 'fsetdb',
  whatMakesIt:
    'Run `izo inconfig` to write it, or `izo join TOKEN` with the token that `izo invite` gave on the server.',
  read(root, report) {
    checkShape(root, { required: [], optional: [], children: ['fileset'] }, report);
    const filesets = new Map<string, Fileset>();
    for (const element of childrenNamed(root, 'fileset')) {
      const fileset = readFileset(element, report);
      if (fileset === undefined) continue;
      const first = filesets.get(fileset.name);
      if (first === undefined) {
        filesets.set(fileset.name, fileset);
        continue;
      }
      report({
        code: 'duplicate-fileset',
        message: `fileset ${quoted(fileset.name)} is described twice, first at ${formatPlace(first.place)}`,
        place: attributePlace(element, 'name'),
        remedy: 'Put all its replicators into one of the two and remove the other.',
      });
    }
    return [...filesets.values()];
  },
};

/** Reads a `<fsetdb>` of `<fileset name="shared" servername="muskox"><replicator>clientA</replicator></fileset>`. */
export function readFsetdb(file: string): Reading<Fileset[]> {
  return readConfigFile(file, FSETDB);
}
