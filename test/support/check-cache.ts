import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeIdentity, IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { KmlReader, Lml } from '../../src/core/journal/index.js';
import { formatObjectId, formatStamp } from '../../src/core/model/ids.js';
import { displayBytes, isReservedAtRoot } from '../../src/core/model/names.js';
import { Attr } from '../../src/core/system/attr.js';
import { encodeDevice } from '../../src/core/system/device-numbers.js';
import { stat } from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { run } from '../../src/core/system/processes.js';
import { getxattrAt, listxattrAt } from '../../src/core/system/xattrs.js';
import { KmlModel, type ModelNode } from './kml-model.js';

/** How much there was to check. */
export interface Checked {
  readonly records: number;
  /** Names in the tree. */
  readonly objects: number;
}

const DIFFERENCES_MAX = 30;
const memory = new Memory(65536);

/**
 * Checks a cache that nobody has mounted: the lower file system is sound, the KML is clean and complete, nothing is in
 * progress, and the tree is exactly what the KML's records make.
 */
export async function checkCache(image: string, fileset: string): Promise<Checked> {
  await checkFileSystem(image);
  const directory = mkdtempSync(join(tmpdir(), 'izo-check-'));
  await run('mount', ['-o', 'loop,ro', image, directory]);
  try {
    return checkLower(directory, fileset);
  } finally {
    await run('umount', [directory]);
    rmdirSync(directory);
  }
}

/** @throws IzoError with the words of e2fsck(8) where the file system is not sound */
export async function checkFileSystem(image: string): Promise<void> {
  // Loads the journal, which a killed host leaves; -n alone would complain about it.
  await run('e2fsck', ['-p', '-E', 'journal_only', image]);
  await run('e2fsck', ['-f', '-n', image]);
}

/** The same as checkCache for a lower tree that is mounted somewhere and not being changed. */
export function checkLower(root: string, fileset: string): Checked {
  const lml = openSync(join(root, '.intermezzo', fileset, 'lml'), 'r');
  const left = Lml.open(lml);
  closeSync(lml);
  assert.deepEqual([left.leftovers(), left.damaged], [[], []], 'the LML has leftovers');
  const model = replay(root, fileset);
  const comparison = new Comparison(root);
  const differences = comparison.run(model);
  assert.deepEqual(differences, [], 'the tree is not what the KML makes');
  return { records: model.records, objects: comparison.objects };
}

/** The tree that the KML tells of. @throws where the log is damaged, or contradicts itself */
function replay(root: string, fileset: string): KmlModel {
  const fd = openSync(root, 'r');
  const reader = KmlReader.openFileset(fd, fileset);
  closeSync(fd);
  try {
    const scan = reader.scan();
    assert.equal(scan.kind, 'clean', 'reason' in scan ? scan.reason : undefined);
    const model = new KmlModel();
    const upto = scan.tail.recno;
    for (let next = 1; next <= upto;) {
      const result = reader.read(next, { records: 1000, bytes: 2 ** 22 }, upto);
      for (const { record } of result.records) model.apply(record);
      next = result.next;
    }
    return model;
  } finally {
    reader.close();
  }
}

/** Compares a model with a lower tree, name by name. */
class Comparison {
  readonly #differences: string[] = [];
  readonly #attr = new Attr();
  /** The object of each inode met. */
  readonly #objects = new Map<number, ModelNode>();

  objects = 0;

  constructor(private readonly root: string) {}

  run(model: KmlModel): string[] {
    this.#directory('', model.root);
    return this.#differences;
  }

  #differ(path: string, what: string, actual: unknown, expected: unknown): void {
    if (actual === expected || this.#differences.length === DIFFERENCES_MAX) return;
    const values = `${String(actual)}, by the KML ${String(expected)}`;
    this.#differences.push(`${displayBytes(path)}: ${what} is ${values}`);
  }

  #directory(path: string, model: ModelNode): void {
    const at = Buffer.from(`${this.root}/${path}`, 'latin1');
    const found = new Set(
      readdirSync(at, { encoding: 'buffer' })
        .map((name) => name.toString('latin1'))
        .filter((name) => path !== '' || !isReservedAtRoot(name)),
    );
    const children = model.children ?? new Map<string, ModelNode>();
    const fd = openSync(at, 'r');
    for (const name of new Set([...found, ...children.keys()])) {
      const child = path === '' ? name : `${path}/${name}`;
      const expected = children.get(name);
      this.#differ(child, 'there', found.has(name), expected !== undefined);
      if (!found.has(name) || expected === undefined) continue;
      this.#object(fd, name, child, expected);
      if (expected.children !== undefined && this.#attr.isDirectory)
        this.#directory(child, expected);
    }
    closeSync(fd);
  }

  #object(directory: number, name: string, path: string, expected: ModelNode): void {
    const attr = this.#attr;
    this.objects++;
    assert.equal(stat(directory, name, attr), 0);
    const differ = (what: string, actual: unknown, wanted: unknown): void => {
      this.#differ(path, what, actual, wanted);
    };
    differ('mode', attr.mode.toString(8), expected.mode.toString(8));
    differ('owner', `${attr.uid}:${attr.gid}`, `${expected.uid}:${expected.gid}`);
    const { sec, nsec } = expected.mtime;
    differ('mtime', `${attr.mtimeSec}.${attr.mtimeNsec}`, `${sec}.${nsec}`);
    if (!attr.isDirectory) {
      differ('nlink', attr.nlink, expected.nlink);
      differ('size', attr.size, expected.size);
      differ('device', encodeDevice(attr.rdevMajor, attr.rdevMinor), expected.rdev);
      const known = this.#objects.get(attr.ino) ?? expected;
      differ('object of the inode', known.object, expected.object);
      this.#objects.set(attr.ino, expected);
    }
    if (expected.target !== undefined) {
      const target = readlinkSync(Buffer.from(`${this.root}/${path}`, 'latin1'), 'latin1');
      differ('target', target, expected.target);
    }
    this.#attributes(directory, name, path, expected);
  }

  #attributes(directory: number, name: string, path: string, expected: ModelNode): void {
    const get = (attribute: string): string | undefined => {
      const length = getxattrAt(directory, name, attribute, memory.address, memory.length);
      return length < 0 ? undefined : memory.buffer.toString('latin1', 0, length);
    };
    const value = get(IDENTITY_XATTR) ?? '';
    const identity = decodeIdentity(Buffer.from(value, 'latin1'), value.length);
    const { content, attributes, object } = expected;
    const written = identity && {
      object: formatObjectId(identity.object),
      content: formatStamp(identity.content),
      attributes: formatStamp(identity.attributes),
    };
    this.#differ(path, 'object', written?.object, object);
    this.#differ(path, 'version', written?.content, formatStamp(content));
    this.#differ(path, 'attributes’ version', written?.attributes, formatStamp(attributes));
    this.#differ(path, 'flags', identity?.flags ?? 0, expected.flags);
    const length = listxattrAt(directory, name, memory.address, memory.length);
    const names = memory.buffer.toString('latin1', 0, Math.max(0, length)).split('\0');
    for (const each of new Set([...names, ...expected.xattrs.keys()])) {
      if (each === '' || each === IDENTITY_XATTR) continue;
      this.#differ(path, each, get(each), expected.xattrs.get(each));
    }
  }
}
