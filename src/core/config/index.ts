/** The configuration: what the files say, checked; how they are written; how a host joins. */
export * from './config-files.js';
export {
  loadConfiguration,
  mustFindFileset,
  psdevName,
  readConfiguration,
  roleOf,
  serverOf,
  type Configuration,
  type Role,
} from './configuration.js';
export { crossCheck, type ConfigFacts } from './cross-checks.js';
export { configFileToWrite, formatFsetdb, formatServerdb, formatSysid } from './format.js';
export {
  CONFLICT_POLICIES,
  DISCONNECTED_POLICIES,
  readFsetdb,
  type ConflictPolicy,
  type DisconnectedPolicy,
  type Fileset,
} from './fsetdb.js';
export {
  DEFAULT_FSTAB,
  findFstabEntry,
  isInterMezzo,
  listFstabEntries,
  parseFstab,
  type FstabEntry,
  type InterMezzoEntry,
} from './fstab.js';
export {
  decodeInvitation,
  encodeInvitation,
  type Invitation,
  type InvitedFileset,
} from './invitation.js';
export { invite, type InviteOptions, type InviteResult } from './invite.js';
export { join, type JoinOptions, type JoinResult } from './join.js';
export { localAddressTowards } from './local-address.js';
export {
  encodeKey,
  findKey,
  KEY_BYTES,
  keyDirectory,
  keyPath,
  makeKey,
  readKey,
  writeKey,
  type KeyId,
} from './keys.js';
export {
  BINDINGS,
  CACHE_TYPES,
  DEFAULT_PSDEV,
  parseMountOptions,
  type Binding,
  type CacheType,
  type MountOptions,
} from './mount-options.js';
export { mustRead, problemAsError, type Problem, type Reading } from './problem.js';
export { saveConfigFiles } from './save.js';
export { DEFAULT_PORT, readServerdb, type Server } from './serverdb.js';
export { closest, didYouMean, editDistance, listed, quoted } from './suggest.js';
export { readSysid, type Sysid } from './sysid.js';
export * from './values.js';
