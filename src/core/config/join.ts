import { IzoError } from '../model/errors.js';
import type { FileToWrite } from '../system/atomic-file.js';
import { noAnswers, type Answers, type MountAnswer } from './answers/answers.js';
import { DEFAULT_FSTAB, type ConfigurationOptions } from './config-files.js';
import { configFileToWrite } from './format.js';
import { decodeInvitation, type Invitation } from './invitation.js';
import { findKey, keyFileToWrite, type KeyId } from './keys.js';
import { mergeFilesets, mergeServers, mergeSysid } from './merge.js';
import { freePsdev, readExisting, type Existing } from './plan/existing.js';
import type { HostFacts } from './plan/host-checks.js';
import { planConfiguration } from './plan/plan.js';
import type { Plan } from './plan/planned.js';
import { saveConfigFiles } from './save.js';
import type { Server } from './serverdb.js';
import { checkBindAddress, checkPsdev, type Check } from './values.js';

export interface JoinWishes {
  /** Undefined keeps what sysid has. The caller may ask localAddressTowards for a host that has none. */
  bindaddr?: string;
  /** Undefined keeps what sysid has, else the first that is free. */
  psdev?: string;
  /** Where the files contradict the invitation, let the invitation win. */
  force?: boolean;
}

export interface JoinOptions extends ConfigurationOptions, JoinWishes {
  token: string;
}

export interface JoinResult {
  /** Files that were written; none where everything was there already. */
  written: string[];
  client: string;
  server: Omit<Server, 'place'>;
  filesets: string[];
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

/** The file of the invitation's key; none where this host has it. */
export function keyOfInvitation(configDir: string, invitation: Invitation): FileToWrite[] {
  const { client, server, key } = invitation;
  const id: KeyId = { configDir, client, server: server.name, side: 'client' };
  return holdsKey(id, key) ? [] : [keyFileToWrite(id, key)];
}

/**
 * The invitation as answers: what is there and agrees with it is not among them.
 * @throws IzoError with exit code EXIT.refused where what is there contradicts it, unless forced
 */
export function answersOfInvitation(
  invitation: Invitation,
  existing: Existing,
  { force = false, bindaddr, psdev }: JoinWishes,
): Answers {
  checkWish(bindaddr, checkBindAddress);
  checkWish(psdev, checkPsdev);
  const { idfile: file, serverdb, fsetdb } = existing;
  const known = existing.sysids.get(file);
  const free = known === undefined ? freePsdev(existing.sysids.values()) : undefined;
  const wishes = { force, bindaddr, psdev: psdev ?? free };
  const sysid = mergeSysid(known, invitation, wishes);
  const servers = mergeServers(existing.servers, invitation, force) ?? [];
  const filesets = mergeFilesets(existing.filesets, invitation, force) ?? [];
  return {
    ...noAnswers(),
    sysids: sysid === undefined ? [] : [{ ...sysid, file, place: { file } }],
    servers: servers.map((each) => ({ place: { file: serverdb }, ...each })),
    filesets: filesets.map((each) => ({ place: { file: fsetdb }, ...each })),
  };
}

/** What joining comes to. @throws IzoError: nothing could be written as it should be */
export function planJoin(
  invitation: Invitation,
  existing: Existing,
  wishes: JoinWishes & { mounts: MountAnswer[] },
  facts: HostFacts,
): Plan {
  const answers = { ...answersOfInvitation(invitation, existing, wishes), mounts: wishes.mounts };
  return planConfiguration(answers, existing, facts);
}

/** Nothing of joining without mounts depends on the host. */
const NO_FACTS: HostFacts = { addresses: [], isBlockDevice: () => false };

/**
 * Makes this host a client of the inviting server: adds what the token says to sysid, serverdb, fsetdb and the keys.
 * Everything is checked before the first file changes. Joining again with the same token changes nothing.
 * @throws IzoError; a contradiction with what is there has exit code EXIT.refused
 */
export function join(options: JoinOptions): JoinResult {
  const invitation = decodeInvitation(options.token);
  const existing = readExisting({ ...options, fstab: DEFAULT_FSTAB });
  const plan = planJoin(invitation, existing, { ...options, mounts: [] }, NO_FACTS);
  const toWrite = [
    ...keyOfInvitation(options.configDir, invitation),
    ...plan.files.map(({ path, after }) => configFileToWrite(path, after)),
  ];
  saveConfigFiles(toWrite);
  const filesets = invitation.filesets.map((fileset) => fileset.name);
  const { client, server } = invitation;
  return { written: toWrite.map(({ path }) => path), client, server, filesets };
}
