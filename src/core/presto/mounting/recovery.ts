import { sameObject, sameStamp } from '../../model/ids.js';
import { displayBytes } from '../../model/names.js';
import { Opcode, opcodeName, stampOf, type JournalRecord } from '../../model/records.js';
import { tornName, type Leftover } from '../../journal/index.js';
import { Attr } from '../../system/attr.js';
import { ESTALE } from '../../system/errno.js';
import { O_RDWR, close } from '../../system/files.js';
import { openByHandle } from '../../system/handles.js';
import { findByInode } from '../tree/find-by-inode.js';
import { pathOf, type Node } from '../tree/node.js';
import { PRESTO_ITSELF, type Presto } from '../presto.js';
import { RangeSet } from '../contents/range-set.js';
import { redoPatches, type Redone } from '../peers/redo-patches.js';
import { resolve, resolveParent } from '../tree/resolve.js';

/**
 * What a mount does before it answers. After any crash the disk holds a prefix of the history and at most one record whose
 * operation had not happened: that one is finished, or taken off where that is impossible or a peer will send it again.
 * Files that were being written get the CLOSE that they did not live to see.
 * @param merged a merge that was interrupted has just been finished: the last record tells of a tree from before it
 */
export function recover(presto: Presto, merged = false): void {
  tellDamage(presto);
  presto.table.collect();
  try {
    // First: the last record may be of what is being put in place.
    const redone = redoPatches(presto);
    if (!merged) settleLastRecord(presto, redone);
    completeCloses(presto);
  } finally {
    presto.table.sweep();
  }
}

/** What opening the logs has found wrong with them. Worse than this, and they are not opened. */
function tellDamage({ logs, log }: Presto): void {
  const { found } = logs.kml;
  if (found.kind === 'torn-tail') {
    const { bytes, tail, reason } = found;
    const what = `cut ${bytes} bytes off the kml at byte ${tail.offset}, after record ${tail.recno}`;
    log(
      'warn',
      `recovery: ${what}: an append was cut short (${reason}); kept as ${tornName(tail.offset)}`,
    );
  }
  for (const slot of logs.lml.damaged) {
    const what = `note ${slot} of the lml cannot be read: a file that was being written may lack its CLOSE`;
    log('error', `recovery: ${what}: izo recovery`);
  }
}

function settleLastRecord(presto: Presto, redone: readonly Redone[]): void {
  const { kml, replica, lastRcvd, epochs } = presto.logs;
  const record = kml.lastRecord();
  if (record === undefined) return;
  const own = record.head.origin === replica;
  const kept =
    isDone(presto, record, redone) || (own && canFinish(presto, record) && finish(presto, record));
  if (!kept) {
    kml.dropLast();
    epochs.beganAfter(kml.end.recno);
    presto.log('info', `recovery: dropped ${describe(record)}, which had not happened`);
    return;
  }
  if (own) return;
  const { origin, originRecno, recno } = record.head;
  const { inHand } = lastRcvd;
  const noted = inHand?.logged === recno && inHand.peer === origin ? inHand.recno : 0;
  const theirs = Math.max(originRecno, noted);
  const expected = lastRcvd.get(origin)?.expected ?? 1;
  // Logged and applied, but the crash came before it was counted. Its checksum in the peer's log is not known here.
  if (expected <= theirs) lastRcvd.setExpected(origin, theirs + 1, 0);
}

function canFinish({ logs, tree, table }: Presto, { body, head }: JournalRecord): boolean {
  // A record of adoption tells of what is there: to make it anew would destroy it. Adoption comes to it again.
  if (!tree.identity.isWritten(table.root)) return false;
  if (body.op !== Opcode.CREATE) return true;
  // A file without a name was to get one: it is gone with the process that had it, and there is nothing to make it of.
  return logs.lml.leftovers().every(({ entry }) => !sameObject(entry.object, head.object));
}

function describe(record: JournalRecord): string {
  const { body, head } = record;
  const path = 'path' in body ? ` ${displayBytes(body.path)}` : '';
  return `record ${head.recno}, ${opcodeName(body.op) ?? '?'}${path}`;
}

function isDone(presto: Presto, record: JournalRecord, redone: readonly Redone[]): boolean {
  const { body, head } = record;
  if (body.op === Opcode.CLOSE) {
    // The version after it was on its way already, ahead of its own record.
    const isNext = ({ object, stamp }: Redone): boolean =>
      sameObject(object, head.object) && !sameStamp(stamp, stampOf(record));
    if (redone.some(isNext)) return true;
    // A program had begun to write over it: its note has the version that was there.
    const isOver = ({ entry: { state, object, stamp } }: Leftover): boolean =>
      state === 'writing' && sameObject(object, head.object) && sameStamp(stamp, stampOf(record));
    if (presto.logs.lml.leftovers().some(isOver)) return true;
    const node = resolve(presto.table, body.path);
    if (typeof node === 'number') return false;
    // A peer's CLOSE whose contents never came says nothing about the disk.
    if (body.handle.ino === 0) return true;
    return sameStamp(presto.tree.identity.of(node).content, stampOf(record));
  }
  const plan = presto.remote.prepare(record, undefined);
  if (typeof plan === 'number') return false;
  if (plan.done) plan.apply();
  plan.release();
  return plan.done;
}

function finish(presto: Presto, record: JournalRecord): boolean {
  const { body } = record;
  if (body.op === Opcode.CLOSE) return finishClose(presto, record, body.path);
  const plan = presto.remote.prepare(record, undefined);
  if (typeof plan === 'number') return false;
  for (const { parent } of plan.names) presto.table.hold(parent);
  const result = plan.apply();
  plan.release();
  for (const { parent } of plan.names) presto.table.unhold(parent);
  return result >= 0;
}

/** The contents were there before the record; only the version is missing. */
function finishClose(presto: Presto, record: JournalRecord, path: string): boolean {
  const node = resolve(presto.table, path);
  if (typeof node === 'number') return false;
  const identity = presto.tree.identity.of(node);
  const closed = { ...identity, object: record.head.object, content: stampOf(record) };
  return presto.tree.identity.write(node, closed) >= 0;
}

function completeCloses(presto: Presto): void {
  const { lml } = presto.logs;
  // Of changes of a peer that are still noted nothing can be made here.
  const leftovers = lml.leftovers().filter(({ entry }) => entry.state !== 'installing');
  const isMapped = ({ entry }: Leftover): boolean => entry.state === 'mapped';
  const written = leftovers.filter((leftover) => !isMapped(leftover));
  for (const leftover of written) completeClose(presto, leftover);
  for (const leftover of leftovers.filter(isMapped)) {
    // Its CLOSE has everything that was written, however.
    const closed = written.some(({ entry }) => entry.handle.ino === leftover.entry.handle.ino);
    if (closed) lml.clear(leftover.slot);
    else completeClose(presto, leftover);
  }
}

function completeClose(presto: Presto, { slot, entry }: Leftover): void {
  const { table, tree, contents, logs, xattrs } = presto;
  const fd = openByHandle(table.root.fd, entry.handle.ino, entry.handle.generation, O_RDWR);
  const node = fd < 0 ? undefined : locate(presto, entry.path, entry.handle.ino);
  if (node === undefined) {
    // Removed since, or never on disk: then there are no contents either.
    if (fd >= 0 || fd === -ESTALE) logs.lml.clear(slot);
    else presto.log('error', `recovery: ${displayBytes(entry.path)} cannot be opened`);
  } else {
    node.dirtySlot = slot;
    node.written = new RangeSet();
    node.written.addEverything();
    const { object, stamp } = entry;
    // What is only mapped has kept its own: nobody had begun to write it.
    const mapped = entry.state === 'mapped';
    if (!mapped) node.identity = { ...tree.identity.of(node), content: stamp };
    const isNew = !mapped && object.replica === stamp.replica && object.number === stamp.recno;
    // One that was made without a name can have attributes that no record tells of yet.
    let result = isNew ? xattrs.journal(PRESTO_ITSELF, node, fd, pathOf(node) ?? entry.path) : 0;
    if (result >= 0) result = contents.close(node, fd, PRESTO_ITSELF);
    const path = displayBytes(entry.path);
    if (result < 0) presto.log('error', `recovery: ${path}: its CLOSE cannot be journaled`);
    else presto.log('info', `recovery: ${path} was being written: closed`);
  }
  if (fd >= 0) close(fd);
}

/** The path in the note may be out of date: a directory above may have been renamed after it was written. */
function locate(presto: Presto, path: string, ino: number): Node | undefined {
  const attr = new Attr();
  const noted = path === '' ? -1 : resolveParent(presto.table, path);
  if (typeof noted !== 'number') {
    const node = presto.table.find(noted.parent, noted.name, attr);
    if (typeof node !== 'number' && node.ino === ino) return node;
  }
  const found = findByInode(presto.table.root.fd, ino);
  const node = found === undefined ? -1 : resolve(presto.table, found);
  return typeof node === 'number' ? undefined : node;
}
