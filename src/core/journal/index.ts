export { hasDataJournalFlag, setDataJournalFlag } from './data-journal.js';
export { realDisk, type Disk, type DiskOperation } from './disk.js';
export { examineKml, skipDamage, type KmlFault, type KmlFindings } from './examine.js';
export { readFilesetFile, writeFilesetFile, type FilesetIdentity } from './fileset-file.js';
export { Kml } from './kml.js';
export { readKmlHeader, type KmlHeader } from './kml-header.js';
export { type Scan, type Tail } from './kml-scan.js';
export { LastRcvd, type PeerProgress } from './last-rcvd.js';
export { Lml, type Leftover, type LmlEntry, type SlotOrErrno } from './lml.js';
export {
  epochsOf,
  formatLogs,
  newReplicaId,
  openLogs,
  openMeta,
  type FilesetLogs,
} from './logs.js';
export {
  decodeRecord,
  decodeRecordOrThrow,
  encodeRecord,
  recordLength,
  type DecodedRecord,
  type NewRecordHead,
} from './record-codec.js';
export { describeBody, describeRecord, formatTime, recordToJson } from './describe.js';
export { LogSync } from './log-sync.js';
export { KmlReader, type ReadLimits, type ReadResult } from './kml-reader.js';
export { kmlStat, type KmlStat } from './kml-stat.js';
export { damaged } from './log-file.js';
export { strangersIn } from './strangers.js';
export { tornName } from './torn.js';
export { type TrimRules } from './kml-trim.js';
