import { IzoError, type Place } from '../model/errors.js';
import type { FileToWrite } from '../system/atomic-file.js';
import { configFiles, type ConfigFiles, type ConfigurationOptions } from './config-files.js';
import { crossCheck } from './cross-checks.js';
import { configFileToWrite, formatFsetdb, formatServerdb, formatSysid } from './format.js';
import { readFsetdb, type Fileset } from './fsetdb.js';
import { decodeInvitation, type Invitation } from './invitation.js';
import { findKey, keyFileToWrite, type KeyId } from './keys.js';
import { mergeFilesets, mergeServers, mergeSysid } from './merge.js';
import { mustRead, problemAsError, type Reading } from './problem.js';
import { saveConfigFiles } from './save.js';
import { readServerdb, type Server } from './serverdb.js';
import { readSysid } from './sysid.js';
import { checkBindAddress, checkPsdev, type Check } from './values.js';

export interface JoinOptions extends ConfigurationOptions {
  token: string;
  /** Undefined keeps what sysid has. The caller may ask localAddressTowards for a host that has none. */
  bindaddr?: string;
  /** Undefined keeps what sysid has, else /dev/intermezzo0. */
  psdev?: string;
  /** Where the files contradict the invitation, let the invitation win. */
  force?: boolean;
}

export interface JoinResult {
  /** Files that were written; none where everything was there already. */
  written: string[];
  client: string;
  server: Omit<Server, 'place'>;
  filesets: string[];
}

/** What a file holds; nothing where it does not exist. Joining must not write over a file that has mistakes. */
function readIfThere<T>(reading: Reading<T>): T | undefined {
  if (reading.problems.some((problem) => problem.code === 'config-missing')) return undefined;
  return mustRead(reading);
}

function checkWish(text: string | undefined, check: Check<string>): void {
  if (text === undefined) return;
  const checked = check(text);
  if ('value' in checked) return;
  const { code, message, remedy } = checked.refusal;
  throw new IzoError(code, message, { remedy });
}

/** An unsafe or broken key is replaced like another one: the token is the authority. */
function holdsKey(id: KeyId, key: Buffer): boolean {
  try {
    return findKey(id)?.equals(key) === true;
  } catch (error) {
    if (error instanceof IzoError) return false;
    throw error;
  }
}

interface Plan {
  files: FileToWrite[];
  servers: readonly Omit<Server, 'place'>[];
  filesets: readonly Omit<Fileset, 'place'>[];
}

function plan(options: JoinOptions, invitation: Invitation, files: ConfigFiles): Plan {
  const force = options.force === true;
  const servers = readIfThere(readServerdb(files.serverdb)) ?? [];
  const filesets = readIfThere(readFsetdb(files.fsetdb)) ?? [];
  const wishes = { force, bindaddr: options.bindaddr, psdev: options.psdev };
  const newSysid = mergeSysid(readIfThere(readSysid(files.sysid)), invitation, wishes);
  const newServers = mergeServers(servers, invitation, force);
  const newFilesets = mergeFilesets(filesets, invitation, force);
  const changes: FileToWrite[] = [];
  const put = (path: string, data: string): void => {
    changes.push(configFileToWrite(path, data));
  };
  if (newServers) put(files.serverdb, formatServerdb(newServers));
  if (newFilesets) put(files.fsetdb, formatFsetdb(newFilesets));
  // Last, because a host with a sysid counts as configured.
  if (newSysid) put(files.sysid, formatSysid(newSysid));
  return { files: changes, servers: newServers ?? servers, filesets: newFilesets ?? filesets };
}

/** The result must fit together, whatever was there before: lento would refuse it otherwise. */
function checkPlan({ servers, filesets }: Plan, files: ConfigFiles): void {
  const at = <T extends object>(file: string) => {
    const place: Place = { file };
    return (each: T): T & { place: Place } => ({ place, ...each });
  };
  const [first] = crossCheck({
    files,
    servers: servers.map(at(files.serverdb)),
    filesets: filesets.map(at(files.fsetdb)),
  });
  if (first !== undefined) throw problemAsError(first);
}

/**
 * Makes this host a client of the inviting server: adds what the token says to sysid, serverdb, fsetdb and the keys.
 * Everything is checked before the first file changes. Joining again with the same token changes nothing.
 * @throws IzoError; a contradiction with what is there has exit code EXIT.refused
 */
export function join(options: JoinOptions): JoinResult {
  const invitation = decodeInvitation(options.token);
  checkWish(options.bindaddr, checkBindAddress);
  checkWish(options.psdev, checkPsdev);
  const files = configFiles(options);
  const planned = plan(options, invitation, files);
  checkPlan(planned, files);
  const { client, server, key } = invitation;
  const id: KeyId = { configDir: options.configDir, client, server: server.name, side: 'client' };
  const toWrite = [...planned.files];
  if (!holdsKey(id, key)) toWrite.unshift(keyFileToWrite(id, key));
  saveConfigFiles(toWrite);
  const names = invitation.filesets.map((fileset) => fileset.name);
  return { written: toWrite.map(({ path }) => path), client, server, filesets: names };
}
