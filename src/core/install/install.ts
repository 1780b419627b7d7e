import {
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { writeFileAtomically } from '../system/atomic-file.js';
import type { Item, Step } from './items.js';
import {
  fingerprint,
  fingerprintAt,
  NOTHING_INSTALLED,
  readReceipt,
  RECEIPT,
  removeReceipt,
  writeReceipt,
  type Receipt,
} from './receipt.js';

const NAMED_MAX = 5;

/**
 * Puts the items below `root`. What an older release has put there and this one has not is removed.
 * @returns what was done, or with `dryRun` would be. @throws IzoError foreign-files: then nothing was changed
 */
export function install(root: string, items: readonly Item[], dryRun: boolean): Step[] {
  const receipt = readReceipt(root);
  const wanted = new Set(items.map(({ path }) => path));
  const placing = items.map((item) => stepFor(root, item, receipt));
  const obsolete = [...receipt.files.keys()].filter((path) => !wanted.has(path));
  const removing = obsolete.flatMap((path) => removal(root, path, receipt));
  refuseForeign(root, placing);
  const steps = [...placing, ...removing];
  if (dryRun) return steps;
  const files = new Map(items.map((item) => [item.path, fingerprint(item)]));
  const directories = [...receipt.directories, ...missingDirectories(root, [...wanted, RECEIPT])];
  // Both what is there and what will be: a crash in between must leave nothing that nobody owns.
  writeReceipt(root, { files: new Map([...receipt.files, ...files]), directories });
  for (const [index, item] of items.entries()) {
    if (placing[index]?.action !== 'keep') place(join(root, item.path), item);
  }
  for (const { action, path } of removing) {
    if (action === 'remove') rmSync(join(root, path), { force: true });
  }
  writeReceipt(root, { files, directories: withoutEmpty(root, directories) });
  return steps;
}

/** Takes away what `install` has put below `root`, but for what was changed since. */
export function uninstall(root: string, dryRun: boolean): Step[] {
  const receipt = readReceipt(root);
  const steps = [...receipt.files.keys()].flatMap((path) => removal(root, path, receipt));
  if (dryRun || receipt === NOTHING_INSTALLED) return steps;
  for (const { action, path } of steps) {
    if (action === 'remove') rmSync(join(root, path), { force: true });
  }
  removeReceipt(root);
  withoutEmpty(root, receipt.directories);
  return steps;
}

function stepFor(root: string, item: Item, receipt: Receipt): Step {
  const { path } = item;
  const target = item.kind === 'link' ? { target: item.target } : {};
  const found = fingerprintAt(join(root, path));
  if (found === undefined) return { action: 'create', path, ...target };
  if (found === fingerprint(item)) return { action: 'keep', path, ...target };
  if (found === receipt.files.get(path) || isLinkToIzo(join(root, path))) {
    return { action: 'replace', path, ...target };
  }
  const reason = receipt.files.has(path) ? 'it was changed since it was installed' : 'not of izo';
  return { action: 'leave', path, reason };
}

/** Links that were made by hand, or are of an izo that was elsewhere and may be gone. */
function isLinkToIzo(path: string): boolean {
  if (!lstatSync(path).isSymbolicLink()) return false;
  const target = resolve(dirname(path), readlinkSync(path));
  return /\/(izo|bin\/izo\.js)$/.test(existsSync(target) ? realpathSync(target) : target);
}

function refuseForeign(root: string, steps: readonly Step[]): void {
  const foreign = steps.filter(({ action }) => action === 'leave');
  if (foreign.length === 0) return;
  const named = foreign
    .slice(0, NAMED_MAX)
    .map(({ path, reason }) => `${join(root, path)} (${reason ?? ''})`);
  if (foreign.length > NAMED_MAX) named.push(`${foreign.length - NAMED_MAX} others`);
  throw new IzoError('foreign-files', `there are other files in place: ${named.join(', ')}`, {
    exit: EXIT.refused,
    remedy: 'Move them away, or install below another --prefix. Nothing was changed.',
  });
}

function removal(root: string, path: string, receipt: Receipt): Step[] {
  const found = fingerprintAt(join(root, path));
  if (found === undefined) return [];
  if (found === receipt.files.get(path)) return [{ action: 'remove', path }];
  return [{ action: 'leave', path, reason: 'it was changed since it was installed' }];
}

/** Those that have to be made for the paths, outer ones first. */
function missingDirectories(root: string, paths: readonly string[]): string[] {
  const missing = new Set<string>();
  for (const path of paths) {
    for (let at = dirname(path); at !== '/' && !existsSync(join(root, at)); at = dirname(at)) {
      missing.add(at);
    }
  }
  return [...missing].sort();
}

function place(path: string, item: Item): void {
  mkdirSync(dirname(path), { recursive: true });
  if (item.kind === 'file') {
    // A link to somewhere else must not be followed, and is not: the new file takes its place.
    writeFileAtomically({ path, data: item.data, mode: item.mode });
    return;
  }
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  symlinkSync(item.target, temporary);
  renameSync(temporary, path);
}

/** Removes directories of ours in which nothing is any more. @returns the others */
function withoutEmpty(root: string, directories: readonly string[]): string[] {
  const stay = [...directories]
    .sort()
    .reverse()
    .filter((path) => !removed(join(root, path)));
  return stay.reverse();
}

function removed(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return !existsSync(path);
  }
}
