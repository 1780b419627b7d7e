import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { IzoError } from '../../model/errors.js';
import { configFiles, DEFAULT_IDFILE } from '../config-files.js';
import { readFsetdb, type Fileset } from '../fsetdb.js';
import { isFreeOfErrors, mustRead, type Reading } from '../problem.js';
import { DEFAULT_PSDEV } from '../mount-options.js';
import { readServerdb, type Server } from '../serverdb.js';
import { readSysid, type Sysid } from '../sysid.js';
import { presentText } from '../text-file.js';
import { mountsOfFstab, type FstabMount } from './fstab-edit.js';

/** What is configured on this host before anything is changed. */
export interface Existing {
  configDir: string;
  /** Path of the sysid file that is meant where none is named. */
  idfile: string;
  serverdb: string;
  fsetdb: string;
  fstab: string;
  /** All sysid files, by their paths. */
  sysids: ReadonlyMap<string, Sysid>;
  servers: readonly Server[];
  filesets: readonly Fileset[];
  /** @throws IzoError naming the line of fstab that is not understood: only who asks has to know */
  readonly mounts: readonly FstabMount[];
  /** The text of each file that is there, by its path. */
  texts: ReadonlyMap<string, string>;
}

export interface Where {
  configDir: string;
  idfile?: string;
  fstab: string;
}

/** What a file holds; nothing where there is none. A file with mistakes must not be written over. */
function readIfThere<T>(reading: Reading<T>): T | undefined {
  if (reading.problems.some((problem) => problem.code === 'config-missing')) return undefined;
  return mustRead(reading);
}

/** Paths of what is called like a sysid file, but for copies. */
function sysidFiles(configDir: string): string[] {
  try {
    return readdirSync(configDir)
      .filter((name) => /^sysid\./.test(name) && !/\.(bak|old|orig|rej)$|~$/.test(name))
      .sort()
      .map((name) => resolve(configDir, name));
  } catch {
    // There is no such directory yet, or it cannot be read, which the files in it will tell.
    return [];
  }
}

/** The one that is meant must be right; others that are not are left out, as nothing is said about them. */
function readSysids(configDir: string, idfile: string): Map<string, Sysid> {
  const sysids = new Map<string, Sysid>();
  const meant = readIfThere(readSysid(idfile));
  if (meant !== undefined) sysids.set(idfile, meant);
  for (const path of [resolve(configDir, DEFAULT_IDFILE), ...sysidFiles(configDir)]) {
    const reading = readSysid(path);
    if (reading.value !== undefined && isFreeOfErrors(reading)) sysids.set(path, reading.value);
  }
  return sysids;
}

function readFstabText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw new IzoError('fstab-unreadable', `${file} cannot be read (${code})`, {
      place: { file },
      remedy: 'Run the command as root.',
      cause: error,
    });
  }
}

/** A psdev that no lento of this host has: /dev/intermezzo0, or the next. */
export function freePsdev(used: Iterable<{ psdev: string }>): string {
  const taken = new Set([...used].map(({ psdev }) => psdev));
  for (let number = 0; ; number += 1) {
    const psdev = DEFAULT_PSDEV.replace(/0$/, String(number));
    if (!taken.has(psdev)) return psdev;
  }
}

/** @throws IzoError: the first mistake in the files that are there */
export function readExisting({ configDir, idfile = DEFAULT_IDFILE, fstab }: Where): Existing {
  const files = configFiles({ configDir, idfile });
  const sysids = readSysids(configDir, files.sysid);
  const servers = readIfThere(readServerdb(files.serverdb)) ?? [];
  const filesets = readIfThere(readFsetdb(files.fsetdb)) ?? [];
  const fstabText = readFstabText(fstab);
  const texts = new Map<string, string>();
  for (const path of [...sysids.keys(), files.serverdb, files.fsetdb]) {
    const text = presentText(path);
    if (text !== undefined) texts.set(path, text);
  }
  if (fstabText !== '') texts.set(fstab, fstabText);
  return {
    configDir,
    idfile: files.sysid,
    serverdb: files.serverdb,
    fsetdb: files.fsetdb,
    fstab,
    sysids,
    servers,
    filesets,
    get mounts() {
      return mountsOfFstab(fstab, fstabText);
    },
    texts,
  };
}
