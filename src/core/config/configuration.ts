import { resolve } from 'node:path';
import { formatPlace, IzoError } from '../model/errors.js';
import { configFiles, type ConfigFiles, type ConfigurationOptions } from './config-files.js';
import { crossCheck } from './cross-checks.js';
import { readFsetdb, type Fileset } from './fsetdb.js';
import { isFreeOfErrors, mustRead, type Problem, type Reading } from './problem.js';
import { readServerdb, type Server } from './serverdb.js';
import { didYouMean, listed, quoted } from './suggest.js';
import { readSysid, type Sysid } from './sysid.js';
import { checkPsdev, psdevBaseName } from './values.js';

/** All that the files say, known to fit together. */
export interface Configuration {
  configDir: string;
  files: ConfigFiles;
  sysid: Sysid;
  servers: ReadonlyMap<string, Server>;
  filesets: ReadonlyMap<string, Fileset>;
  /** What is odd but no reason to refuse work. */
  warnings: readonly Problem[];
}

export type Role = 'server' | 'client' | 'none';

/** Reads and checks everything, and tells all problems: first those of sysid, then serverdb, fsetdb, then cross checks. */
export function readConfiguration(options: ConfigurationOptions): Reading<Configuration> {
  const files = configFiles(options);
  const sysid = readSysid(files.sysid);
  const serverdb = readServerdb(files.serverdb);
  const fsetdb = readFsetdb(files.fsetdb);
  const problems = [...sysid.problems, ...serverdb.problems, ...fsetdb.problems];
  // A file with errors says nothing about the others: what it lacks may be what could not be understood.
  if (serverdb.value && fsetdb.value && isFreeOfErrors(serverdb) && isFreeOfErrors(fsetdb)) {
    const facts = { files, servers: serverdb.value, filesets: fsetdb.value };
    problems.push(...crossCheck(sysid.value ? { ...facts, sysid: sysid.value } : facts));
  }
  if (!sysid.value || !serverdb.value || !fsetdb.value) return { value: undefined, problems };
  const value: Configuration = {
    configDir: resolve(options.configDir),
    files,
    sysid: sysid.value,
    servers: new Map(serverdb.value.map((server) => [server.name, server])),
    filesets: new Map(fsetdb.value.map((fileset) => [fileset.name, fileset])),
    warnings: problems.filter((problem) => problem.severity === 'warning'),
  };
  return { value, problems };
}

/** The configuration of one lento. @throws IzoError: the first error, with its place and what to do. */
export function loadConfiguration(options: ConfigurationOptions): Configuration {
  return mustRead(readConfiguration(options));
}

/** The fileset of that name. @throws IzoError `unknown-fileset`, naming those there are. */
export function mustFindFileset(config: Configuration, name: string): Fileset {
  const fileset = config.filesets.get(name);
  if (fileset !== undefined) return fileset;
  const known = [...config.filesets.keys()];
  throw new IzoError('unknown-fileset', `there is no fileset ${quoted(name)}`, {
    place: { file: config.files.fsetdb },
    remedy: `${didYouMean(name, known)}The filesets of ${config.files.fsetdb} are: ${listed(known)}.`,
  });
}

/** What this host is for a fileset. Filesets that are not configured: 'none'. */
export function roleOf(config: Configuration, fileset: string): Role {
  const found = config.filesets.get(fileset);
  if (found?.servername === config.sysid.name) return 'server';
  return found?.replicators.includes(config.sysid.name) === true ? 'client' : 'none';
}

/** The server of a fileset. @throws IzoError where the fileset is unknown. */
export function serverOf(config: Configuration, fileset: string): Server {
  const { servername, place } = mustFindFileset(config, fileset);
  const server = config.servers.get(servername);
  if (server === undefined) throw new Error(`unchecked server at ${formatPlace(place)}`);
  return server;
}

/** `/dev/intermezzo0` -> `intermezzo0`: names the psdev's directory in the run-time directory. @throws IzoError */
export function psdevName(psdev: string): string {
  const name = psdevBaseName(psdev);
  if (name !== undefined) return name;
  const checked = checkPsdev(psdev);
  if ('value' in checked) throw new Error('checkPsdev and psdevBaseName agree');
  const { code, message, remedy } = checked.refusal;
  throw new IzoError(code, message, { remedy });
}
