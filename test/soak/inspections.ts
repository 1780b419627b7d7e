import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { listConflicts } from '../../src/core/conflicts/store.js';
import { compareTrees } from '../../src/core/demo/compare-trees.js';
import { KmlReader, Lml } from '../../src/core/journal/index.js';
import { isReservedAtRoot } from '../../src/core/model/names.js';
import { Memory } from '../../src/core/system/native.js';
import { getxattrAt } from '../../src/core/system/xattrs.js';
import { compareWithNotes } from '../support/notes.js';
import { FILESET } from './lan.js';
import { PLACES } from './workers.js';
import { tokensIn } from './ledger.js';

/** What an inspection has found wrong, and what it has counted. */
export interface Finding {
  readonly wrong: readonly string[];
  readonly count: number;
}

const DIFFERENCES_MAX = 20;
const STAGE_MAX = 20;
const memory = new Memory(4096);

/** What is to be looked at, each in a process that may hang. Paths of mounts, but `lower` and `conflicts`. */
export const INSPECTIONS = {
  /** Are two mounted trees equal, in all that programs see? Counts the files. */
  trees: (left: string, right: string): Finding => {
    const { differences, files } = compareTrees(left, right);
    return { wrong: differences, count: files };
  },

  /** What the caches have of a file that differs, for whoever looks for the reason: "wrong" is what they say. */
  lowerFile: (path: string, left: string, right: string): Finding => {
    const told = [left, right].map((lower) => {
      const found = statSync(join(lower, path), { throwIfNoEntry: false });
      return found === undefined ? 'nothing' : `${found.size} bytes, ${found.nlink} names`;
    });
    return { wrong: [`${path}: in the caches ${told.join(' and ')}`], count: 0 };
  },

  /** Have the objects of two lower trees the same identities and versions? */
  identities: (left: string, right: string): Finding => {
    const others = identitiesOf(right);
    const wrong: string[] = [];
    const own = identitiesOf(left);
    for (const [path, identity] of own) {
      if (others.get(path) === identity || wrong.length === DIFFERENCES_MAX) continue;
      wrong.push(`${path}: identity ${identity} and ${others.get(path) ?? 'nothing'}`);
    }
    return { wrong, count: own.size };
  },

  /** Is a territory as its worker has noted? */
  territory: (directory: string, notes: string): Finding => {
    const { differences, names } = compareWithNotes(directory, notes);
    return { wrong: differences, count: names };
  },

  /** All tokens in the files below a directory, as "wrong". */
  tokens: (directory: string): Finding => {
    const found = new Set<string>();
    for (const path of filesBelow(directory)) {
      for (const token of tokensIn(readFileSync(path, 'latin1'))) found.add(token);
    }
    return { wrong: [...found], count: found.size };
  },

  /** Is the log whole, and nothing in progress? Counts the records. */
  log: (lower: string): Finding => {
    const wrong: string[] = [];
    const fd = openSync(lower, 'r');
    const reader = KmlReader.openFileset(fd, FILESET);
    const scan = reader.scan();
    if (scan.kind !== 'clean') wrong.push(`${lower}: the log is ${scan.kind}: ${scan.reason}`);
    reader.close();
    closeSync(fd);
    const lml = openSync(join(lower, '.intermezzo', FILESET, 'lml'), 'r');
    const { damaged } = Lml.open(lml);
    const left = Lml.open(lml).leftovers();
    closeSync(lml);
    if (damaged.length > 0) wrong.push(`${lower}: the LML is damaged`);
    for (const each of left) wrong.push(`${lower}: in progress: ${JSON.stringify(each)}`);
    const stage = readdirSync(join(lower, '.intermezzo', FILESET, 'stage'));
    // A cut transfer that did not have to go on stays until the next mount.
    if (stage.length > STAGE_MAX)
      wrong.push(`${lower}: left in the stage: ${stage.slice(0, 5).join(' ')}`);
    return { wrong, count: scan.tail.recno };
  },

  /** Names that only conflicts make, where there can be none. Counts the conflicts in the store. */
  conflicts: (lower: string): Finding => {
    const wrong = filesBelow(lower)
      .map((path) => path.slice(lower.length + 1))
      .filter((path) => path.includes('.conflict-') && !path.startsWith('.intermezzo/'))
      .filter((path) => !SHARED.some((place) => path.startsWith(`${place}/`)))
      .map((path) => `${path}: a conflict where one host alone writes`);
    return { wrong, count: listConflicts(lower, FILESET).length };
  },
} as const;

/** Where several hosts change the same files. */
const SHARED = [PLACES.quarrel, PLACES.ledger, PLACES.desks];

export type Inspection = keyof typeof INSPECTIONS;

function identitiesOf(root: string): Map<string, string> {
  const fd = openSync(root, 'r');
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    const names = readdirSync(Buffer.from(`${root}/${path}`, 'latin1'), {
      encoding: 'latin1',
      withFileTypes: true,
    });
    for (const entry of names) {
      if (path === '' && isReservedAtRoot(entry.name)) continue;
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      const length = getxattrAt(fd, child, IDENTITY_XATTR, memory.address, memory.length);
      found.set(child, length < 0 ? `error ${-length}` : memory.buffer.toString('hex', 0, length));
      if (entry.isDirectory()) visit(child);
    }
  };
  visit('');
  closeSync(fd);
  return found;
}

function filesBelow(directory: string): string[] {
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
