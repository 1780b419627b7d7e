import type { NodeId } from '../fuse/port.js';
import type { FilesetLogs } from '../journal/index.js';
import type { Contents } from './contents/contents.js';
import type { IoModes } from './contents/io-modes.js';
import type { LocalUpdates } from './local-updates.js';
import type { LowerTree } from './tree/lower-tree.js';
import type { NodeTable } from './tree/node-table.js';
import type { ObjectGuard } from './tree/object-guard.js';
import type { OpenFiles } from './tree/open-files.js';
import type { PermitGate } from './permit-gate.js';
import type { Returning } from './returning.js';
import type { UnseenWrites } from './contents/unseen-writes.js';
import type { WriteBack } from './contents/write-back.js';
import type { XattrRecords } from './mounting/xattr-records.js';

/** What a mounted fileset is made of; the operations share it. */
export interface PrestoCore {
  readonly table: NodeTable;
  readonly tree: LowerTree;
  readonly files: OpenFiles;
  readonly modes: IoModes;
  readonly logs: FilesetLogs;
  readonly gate: PermitGate;
  readonly guard: ObjectGuard;
  readonly updates: LocalUpdates;
  readonly contents: Contents;
  readonly unseen: UnseenWrites;
  readonly returning: Returning;
  readonly writeBack: WriteBack;
  readonly xattrs: XattrRecords;
  /** See FuseBinding.isContested. */
  readonly isContested: () => boolean;
  /** The kernel has cached what was written to a file at another place than where it was written to. */
  readonly contentsMoved: (node: NodeId) => void;
}
