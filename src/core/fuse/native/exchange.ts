import { Attr } from '../../system/attr.js';
import { encodeDevice } from '../../system/device-numbers.js';
import type { FileSystemStatus } from '../../system/files.js';
import { Memory } from '../../system/native.js';
import {
  newOpened,
  type AttrChange,
  type Caller,
  type Entry,
  type FuseOperations,
  type NodeId,
  type Opened,
} from '../port.js';
import { Paths } from './paths.js';
import { Listing } from './listing.js';

/** An open file of the kernel: libfuse numbers them in 31 bits, so the numbers are ours. */
export interface OpenFile {
  readonly node: NodeId;
  readonly handle: number;
}

const TARGET_BYTES = 4096;
const MAX_U32 = 0xffff_ffff;
const TWO32 = 2 ** 32;

/** What the handlers of requests have at hand, and what operations fill: used again for every request. */
export class Exchange {
  readonly paths: Paths;
  readonly entry: Entry = { node: 0, generation: 0, attr: new Attr() };
  readonly attr = new Attr();
  readonly opened: Opened = newOpened();
  readonly listing = new Listing();
  readonly target = new Memory(TARGET_BYTES);
  /** The answer to getattr, populate_stat() in fuse-native.c. */
  readonly stat = new Uint32Array(18);
  /** The answer to statfs, populate_statvfs(). */
  readonly statfs = new Uint32Array(11);
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
  /** The answers to readlink and open. */
  targetText = '';
  number = 0;
  readonly #files: (OpenFile | undefined)[] = [undefined];
  readonly #free: number[] = [];
  readonly #caller: Caller = { uid: 0, gid: 0, pid: 0 };

  /** `unspeakable`: a directory cannot be listed for one of its names, which is no text. */
  constructor(
    readonly operations: FuseOperations,
    readonly unspeakable: (directory: string, name: string) => void,
  ) {
    this.paths = new Paths(operations);
  }

  /** The kernel lets nobody in but root (there is no allow_other): the only caller there can be. */
  get caller(): Caller {
    return this.#caller;
  }

  addFile(file: OpenFile): number {
    const number = this.#free.pop() ?? this.#files.length;
    this.#files[number] = file;
    return number;
  }

  file(number: number): OpenFile | undefined {
    return this.#files[number];
  }

  removeFile(number: number): void {
    if (this.#files[number] === undefined) return;
    this.#files[number] = undefined;
    this.#free.push(number);
  }

  /** Times are milliseconds since 1970, unsigned. */
  putStat(attr: Attr): number {
    const { stat } = this;
    stat[0] = attr.mode;
    stat[1] = attr.uid;
    stat[2] = attr.gid;
    putDouble(stat, 3, attr.size);
    stat[5] = 0;
    stat[6] = attr.nlink;
    stat[7] = attr.ino;
    stat[8] = encodeDevice(attr.rdevMajor, attr.rdevMinor);
    stat[9] = attr.blksize;
    putDouble(stat, 10, attr.blocks);
    putDouble(stat, 12, milliseconds(attr.atimeSec, attr.atimeNsec));
    putDouble(stat, 14, milliseconds(attr.mtimeSec, attr.mtimeNsec));
    putDouble(stat, 16, milliseconds(attr.ctimeSec, attr.ctimeNsec));
    return 0;
  }

  /** Counts are 32 bits: of a file system beyond 16 TiB what fits is told. */
  putStatfs(): void {
    const { statfs, status } = this;
    const values = [
      status.blockSize,
      status.fragmentSize,
      status.blocks,
      status.blocksFree,
      status.blocksAvailable,
      status.files,
      status.filesFree,
      status.filesFree,
      0,
      0,
      status.nameMax,
    ];
    values.forEach((value, index) => (statfs[index] = Math.min(value, MAX_U32)));
  }
}

function putDouble(words: Uint32Array, at: number, value: number): void {
  words[at] = value % TWO32;
  words[at + 1] = Math.floor(value / TWO32);
}

function milliseconds(sec: number, nsec: number): number {
  return Math.max(0, sec * 1000 + Math.floor(nsec / 1_000_000));
}
