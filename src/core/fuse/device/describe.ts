import type { SeenRequest } from '../watcher.js';
import {
  CopyFileRangeIn,
  CreateIn,
  FuseOpcode,
  LinkIn,
  MkdirIn,
  MknodIn,
  Rename2In,
  RenameIn,
} from './protocol.js';
import type { Request } from './request.js';

/** Opcode -> what people call it. Whether names or attributes come along, or flags, makes no other operation of it. */
const WORDS = new Map<number, string>([
  ...Object.entries(FuseOpcode).map(([word, opcode]) => [opcode, word.toLowerCase()] as const),
  [FuseOpcode.RENAME2, 'rename'],
  [FuseOpcode.READDIRPLUS, 'readdir'],
  [FuseOpcode.TMPFILE, 'create'],
]);

/** Puts into `seen` what the request is about. */
export function describeRequest(request: Request, since: number, seen: SeenRequest): void {
  const { opcode } = request;
  seen.id = request.unique;
  seen.operation = WORDS.get(opcode) ?? `opcode ${opcode}`;
  seen.uid = request.uid;
  seen.gid = request.gid;
  seen.thread = request.thread;
  seen.node = request.node;
  seen.since = since;
  seen.name = nameOf(request);
  seen.toNode = 0;
  seen.toName = undefined;
  if (opcode === FuseOpcode.RENAME) moved(request, RenameIn.newdir, RenameIn.size, seen);
  if (opcode === FuseOpcode.RENAME2) moved(request, Rename2In.newdir, Rename2In.size, seen);
  if (opcode === FuseOpcode.COPY_FILE_RANGE) seen.toNode = request.u64(CopyFileRangeIn.nodeidOut);
  if (opcode === FuseOpcode.LINK) {
    seen.node = request.u64(LinkIn.oldnodeid);
    seen.toNode = request.node;
    seen.toName = request.name(LinkIn.size);
  }
}

function moved(request: Request, directoryAt: number, size: number, seen: SeenRequest): void {
  const name = request.name(size);
  seen.name = name;
  seen.toNode = request.u64(directoryAt);
  seen.toName = request.name(size + name.length + 1);
}

/** The name in the directory that is the request's node, where it is about one. */
function nameOf(request: Request): string | undefined {
  switch (request.opcode) {
    case FuseOpcode.LOOKUP:
    case FuseOpcode.UNLINK:
    case FuseOpcode.RMDIR:
    case FuseOpcode.SYMLINK:
      return request.name(0);
    case FuseOpcode.MKDIR:
      return request.name(MkdirIn.size);
    case FuseOpcode.MKNOD:
      return request.name(MknodIn.size);
    case FuseOpcode.CREATE:
      return request.name(CreateIn.size);
    default:
      return undefined;
  }
}
