import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IzoError } from '../model/errors.js';
import { writeFileAtomically } from '../system/atomic-file.js';
import type { Item } from './items.js';

/**
 * What `izo install` has made, so that it can tell its own files from others, replace those of an older release, and
 * take all of them away. It is written before the first of them is.
 */
export interface Receipt {
  /** Path below the root -> fingerprint of what was put there. */
  readonly files: ReadonlyMap<string, string>;
  /** Directories that were not there before, by paths below the root; deeper ones last. */
  readonly directories: readonly string[];
}

export const RECEIPT = '/var/lib/izo/installed.json';

export const NOTHING_INSTALLED: Receipt = { files: new Map(), directories: [] };

/** Of what an item is to be. */
export function fingerprint(item: Item): string {
  if (item.kind === 'link') return `-> ${item.target}`;
  return createHash('sha256').update(item.data).digest('hex');
}

/** Of what is at a path; undefined where nothing is. */
export function fingerprintAt(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  if (!found.isFile()) return 'something else';
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function parse(text: string): Receipt | undefined {
  try {
    const { files, directories } = JSON.parse(text) as Record<string, unknown>;
    if (typeof files !== 'object' || files === null || !isTexts(directories)) return undefined;
    const entries = Object.entries(files);
    if (!isTexts(entries.map(([, mark]) => mark as unknown))) return undefined;
    return { files: new Map(entries as [string, string][]), directories };
  } catch {
    return undefined;
  }
}

/** @throws IzoError receipt-damaged */
export function readReceipt(root: string): Receipt {
  const file = join(root, RECEIPT);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NOTHING_INSTALLED;
    throw error;
  }
  const receipt = parse(text);
  if (receipt !== undefined) return receipt;
  throw new IzoError('receipt-damaged', 'the list of installed files cannot be understood', {
    place: { file },
    remedy: 'Move it away; what it listed then counts as foreign where it differs.',
  });
}

export function writeReceipt(root: string, { files, directories }: Receipt): void {
  const path = join(root, RECEIPT);
  mkdirSync(dirname(path), { recursive: true });
  const data = `${JSON.stringify({ files: Object.fromEntries(files), directories }, null, 1)}\n`;
  writeFileAtomically({ path, data, mode: 0o644 });
}

export function removeReceipt(root: string): void {
  rmSync(join(root, RECEIPT), { force: true });
}
