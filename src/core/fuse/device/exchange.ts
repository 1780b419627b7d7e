import { Attr } from '../../system/attr.js';
import type { FileSystemStatus } from '../../system/files.js';
import {
  newOpened,
  type AttrChange,
  type Caller,
  type Entry,
  type FuseOperations,
  type NodeId,
  type Opened,
} from '../port.js';
import { DirentSink } from './dirents.js';
import { Reply } from './reply.js';
import { Request } from './request.js';

/**
 * One request and its answer, and the objects that operations fill. Used again for every request: requests are served
 * one at a time, and nothing is allocated for them.
 */
export class Exchange {
  readonly request = new Request();
  readonly reply = new Reply();
  readonly caller: Caller = { uid: 0, gid: 0, pid: 0 };
  readonly entry: Entry = { node: 0, generation: 0, attr: new Attr() };
  readonly attr = new Attr();
  readonly opened: Opened = newOpened();
  readonly change: AttrChange = {
    valid: 0,
    handle: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    atimeSec: 0,
    atimeNsec: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
  };
  readonly status: FileSystemStatus = {
    blockSize: 0,
    fragmentSize: 0,
    blocks: 0,
    blocksFree: 0,
    blocksAvailable: 0,
    files: 0,
    filesFree: 0,
    nameMax: 0,
  };
  readonly sink = new DirentSink(this.reply);

  /** `attributesChanged`: a node's attributes are no longer what the kernel remembers. */
  constructor(
    readonly operations: FuseOperations,
    readonly attributesChanged: (node: NodeId) => void,
  ) {}

  get node(): NodeId {
    return this.request.node;
  }

  /** Clears what the operation before has left. */
  reset(): void {
    this.request.takeCaller(this.caller);
    this.entry.node = 0;
    this.entry.generation = 0;
    this.opened.handle = 0;
    this.opened.keepCache = false;
    this.opened.directIo = false;
    this.opened.backing = 0;
    this.opened.noFlush = false;
  }
}
