/** The configuration: what the files say, checked; how they are written; how a host joins. */
export {
  ANSWER_KINDS,
  DEFAULT_OPTIONS,
  noAnswers,
  type AnswerKind,
  type Answers,
  type MountAnswer,
  type NameAnswer,
  type Removal,
  type SysidAnswer,
} from './answers/answers.js';
export { checkIdfile, checkOptions, checkPath, checkSize } from './answers/checks.js';
export { answerOfText, answersTree } from './answers/forms.js';
export { readAnswers } from './answers/read.js';
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
export {
  answersOfInvitation,
  join,
  keyOfInvitation,
  planJoin,
  type JoinOptions,
  type JoinResult,
  type JoinWishes,
} from './join.js';
export { localAddressTowards } from './local-address.js';
export {
  encodeKey,
  findKey,
  keyFileToWrite,
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
export { freePsdev, readExisting, type Existing, type Where } from './plan/existing.js';
export { editFstab, fstabLine, type FstabMount } from './plan/fstab-edit.js';
export type { HostFacts } from './plan/host-checks.js';
export { planConfiguration } from './plan/plan.js';
export type { Pair, Plan, PlannedFile, PlannedMount } from './plan/planned.js';
export { mustRead, problemAsError, type Problem, type Reading } from './problem.js';
export { saveConfigFiles } from './save.js';
export { DEFAULT_PORT, readServerdb, type Server } from './serverdb.js';
export { closest, didYouMean, editDistance, listed, quoted } from './suggest.js';
export { readSysid, type Sysid } from './sysid.js';
export type { XmlElement } from './xml-tree.js';
export { readAnyText } from './text-file.js';
export * from './values.js';
