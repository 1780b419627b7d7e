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
export {
  CONFLICT_POLICIES,
  DISCONNECTED_POLICIES,
  readFsetdb,
  type ConflictPolicy,
  type DisconnectedPolicy,
  type Fileset,
} from './fsetdb.js';
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
export { DEFAULT_PORT, readServerdb, type Server } from './serverdb.js';
export { closest, didYouMean, editDistance, listed, quoted } from './suggest.js';
export { readSysid, type Sysid } from './sysid.js';
export * from './values.js';
