import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  configFiles,
  DEFAULT_IDFILE,
  readFsetdb,
  readServerdb,
  readSysid,
  type ConfigFiles,
  type Fileset,
  type Problem,
  type Reading,
  type Server,
  type Sysid,
} from '../config/index.js';
import type { Finding } from './diagnostic.js';
import { surveyFstab, type FstabSurvey } from './fstab.js';
import { withConversion } from './perl/convert.js';
import type { PerlFileKind } from './perl/meaning.js';

export interface SurveyOptions {
  configDir: string;
  /** A name in configDir, or an absolute path. */
  idfile: string;
  fstab: string;
}

/** One lento of this host, known by its sysid file. */
export interface LocalSysid extends Sysid {
  file: string;
}

/** What the files of this host say, and what is wrong with each of them alone. */
export interface Survey {
  configDir: string;
  files: ConfigFiles;
  fstab: FstabSurvey;
  /** The sysid that is meant, if it can be used. */
  self: LocalSysid | undefined;
  /** All of this host that can be used, that one first: several lentos may run on one host. */
  sysids: readonly LocalSysid[];
  servers: readonly Server[];
  filesets: readonly Fileset[];
  /** What can be said about more than one file is said only where both are free of errors. */
  isWhole: { sysid: boolean; serverdb: boolean; fsetdb: boolean };
  findings: readonly Finding[];
}

/** Everything in the configuration directory that is called like a sysid, but for copies that editors and we leave. */
function siblings(configDir: string): string[] {
  try {
    return readdirSync(configDir)
      .filter((name) => /^sysid\./.test(name) && !/\.(bak|old|orig|rej|swp|tmp)$|~$/.test(name))
      .sort()
      .map((name) => resolve(configDir, name));
  } catch {
    // That the directory is not there will be told of each file in it.
    return [];
  }
}

/** What a reader of config tells, with the conversion that may be known for it. */
function asFindings(problems: readonly Problem[], kind: PerlFileKind): Finding[] {
  return problems.map(({ code, message, place, remedy }) => {
    const finding = { code, message, place, remedy };
    return code === 'config-perl' ? withConversion(finding, kind) : finding;
  });
}

function isWhole(reading: Reading<unknown>): boolean {
  return reading.value !== undefined && reading.problems.length === 0;
}

function readSysids(
  meant: string,
  configDir: string,
): { sysids: LocalSysid[]; problems: Problem[] } {
  const others = [resolve(configDir, DEFAULT_IDFILE), ...siblings(configDir)];
  const sysids: LocalSysid[] = [];
  const problems: Problem[] = [];
  for (const file of new Set([meant, ...others])) {
    const { value, problems: found } = readSysid(file);
    // Nobody has asked for the default one where another is meant.
    const isMissing = found.some(({ code }) => code === 'config-missing');
    if (isMissing && file !== meant) continue;
    problems.push(...found);
    if (value !== undefined) sysids.push({ ...value, file });
  }
  return { sysids, problems };
}

/** Reads all files there are, however broken. */
export function surveyFiles({ configDir, idfile, fstab }: SurveyOptions): Survey {
  const files = configFiles({ configDir, idfile });
  const { sysids, problems } = readSysids(files.sysid, configDir);
  const serverdb = readServerdb(files.serverdb);
  const fsetdb = readFsetdb(files.fsetdb);
  const fstabSurvey = surveyFstab(fstab);
  return {
    configDir,
    files,
    fstab: fstabSurvey,
    self: sysids.find(({ file }) => file === files.sysid),
    sysids,
    servers: serverdb.value ?? [],
    filesets: fsetdb.value ?? [],
    isWhole: {
      sysid: problems.length === 0,
      serverdb: isWhole(serverdb),
      fsetdb: isWhole(fsetdb),
    },
    findings: [
      ...asFindings(problems, 'sysid'),
      ...asFindings(serverdb.problems, 'serverdb'),
      ...asFindings(fsetdb.problems, 'fsetdb'),
      ...fstabSurvey.findings,
    ],
  };
}

/** The files that say who this host is and whom it trusts, each once. */
export function configuredFiles({ files, sysids }: Survey): string[] {
  const { sysid, serverdb, fsetdb } = files;
  return [...new Set([sysid, serverdb, fsetdb, ...sysids.map(({ file }) => file)])];
}
