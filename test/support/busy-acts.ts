import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { must } from '../../src/core/system/errno.js';
import { fsetxattr } from '../../src/core/system/xattrs.js';
import { everywhere, stateOf, type Item, type Territory } from './busy-territory.js';
import { DIRECTORY_STATE, fileState, NOTE_XATTR } from './notes.js';

const DIRTY_MAX = 5;
const DIRECTORIES_MAX = 8;
const CHUNK_BYTES = 50_000;

type Act = (territory: Territory) => void;

function anyFile(territory: Territory): Item {
  return territory.item(territory.pick(territory.files));
}

const anyName = (territory: Territory, item: Item): string => territory.pick([...item.names]);

function newSize(territory: Territory): number {
  const kind = territory.random(40);
  if (kind === 0) return 1 + territory.random(1_500_000);
  return 1 + territory.random(kind < 5 ? 200_000 : 6000);
}

function writeAll(fd: number, contents: Buffer, at: number): void {
  for (let done = 0; done < contents.length; done += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, contents.length - done);
    // What does not fit is told by the next write.
    for (let sent = 0; sent < length;) {
      sent += writeSync(fd, contents, done + sent, length - sent, at + done + sent);
    }
  }
}

/** Runs `use` with the file open, and reports what closing it says. */
function withFile(path: string, flags: string, use: (fd: number) => void): void {
  const fd = openSync(path, flags);
  try {
    use(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
}

function change(territory: Territory, item: Item, contents: Buffer, act: () => void): void {
  const after = everywhere(item, fileState(contents, item.text));
  const changed = territory.perform(after, act, { overwrites: item, items: [item] });
  if (changed) item.contents = contents;
  else reread(territory, item);
}

/** A change that has found no space may have come to something. */
function reread(territory: Territory, item: Item): void {
  item.contents = readFileSync(territory.full(anyName(territory, item)));
}

function create(territory: Territory): void {
  const path = territory.newName();
  const contents = territory.newContents(newSize(territory));
  const item: Item = { names: new Set([path]), contents, text: '', act: 0 };
  territory.items.set(path, item);
  const after = { [path]: stateOf(item) };
  const act = (): void => {
    withFile(territory.full(path), 'wx', (fd) => {
      writeAll(fd, contents, 0);
    });
  };
  if (territory.perform(after, act, { items: [item], directories: [dirname(path)] })) return;
  if (territory.isThere(path)) reread(territory, item);
  else territory.items.delete(path);
}

/** As an editor that truncates the file first, or in the middle, or at the end. */
function write(territory: Territory): void {
  const item = anyFile(territory);
  const old = item.contents ?? Buffer.alloc(0);
  const bytes = territory.newContents(newSize(territory));
  const whole = territory.random(2) === 0;
  const at = whole ? 0 : territory.random(old.length + 1);
  const contents = whole
    ? bytes
    : Buffer.concat([old.subarray(0, at), bytes, old.subarray(at + bytes.length)]);
  change(territory, item, contents, () => {
    withFile(territory.full(anyName(territory, item)), whole ? 'w' : 'r+', (fd) => {
      writeAll(fd, bytes, at);
    });
  });
}

function truncate(territory: Territory): void {
  const item = anyFile(territory);
  const old = item.contents ?? Buffer.alloc(0);
  const size =
    territory.random(4) === 0
      ? old.length + territory.random(100_000)
      : territory.random(old.length + 1);
  const contents = Buffer.alloc(size);
  old.copy(contents);
  change(territory, item, contents, () => {
    truncateSync(territory.full(anyName(territory, item)), size);
  });
}

/** To sync or close a file that was written to when there was no room for its CLOSE says so once more. */
function hadRoom(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return false;
  }
}

function fsync(territory: Territory): void {
  const item = anyFile(territory);
  const path = territory.full(anyName(territory, item));
  if (hadRoom(() => withFile(path, 'r+', fsyncSync))) territory.noteSynced(item);
}

/** A descriptor that is written to and synced while it is open. */
function writeAndFsync(territory: Territory): void {
  const item = anyFile(territory);
  const old = item.contents ?? Buffer.alloc(0);
  const bytes = territory.newContents(1 + territory.random(9000));
  const path = territory.full(anyName(territory, item));
  const write = (fd: number): void => {
    const contents = Buffer.concat([old, bytes]);
    change(territory, item, contents, () => {
      writeAll(fd, bytes, old.length);
      fsyncSync(fd);
    });
    if (!territory.wasFull) territory.noteSynced(item);
  };
  hadRoom(() => withFile(path, 'r+', write));
}

function fsyncDirectory(territory: Territory): void {
  const path = territory.pick([...territory.directories.keys()]);
  withFile(territory.full(path), 'r', fsyncSync);
  territory.noteDirectorySynced(path);
}

function rename(territory: Territory): void {
  const item = territory.item(territory.pick([...territory.items.keys()]));
  const from = anyName(territory, item);
  const to = territory.newName();
  const done = territory.perform(
    { [from]: null, [to]: stateOf(item) },
    () => {
      renameSync(territory.full(from), territory.full(to));
    },
    { items: [item], directories: [dirname(from), dirname(to)] },
  );
  if (done) move(territory, item, from, to);
}

function renameOver(territory: Territory): void {
  const item = anyFile(territory);
  const over = anyFile(territory);
  if (item === over) return;
  const from = anyName(territory, item);
  const to = anyName(territory, over);
  const done = territory.perform(
    { [from]: null, [to]: stateOf(item) },
    () => {
      renameSync(territory.full(from), territory.full(to));
    },
    { items: [item, over], directories: [dirname(from), dirname(to)] },
  );
  if (!done) return;
  over.names.delete(to);
  move(territory, item, from, to);
}

function move(territory: Territory, item: Item, from: string, to: string): void {
  territory.items.delete(from);
  item.names.delete(from);
  territory.items.set(to, item);
  item.names.add(to);
}

function unlink(territory: Territory): void {
  const path = territory.pick([...territory.items.keys()]);
  const item = territory.item(path);
  const act = (): void => {
    unlinkSync(territory.full(path));
  };
  const effects = { items: [item], directories: [dirname(path)] };
  if (!territory.perform({ [path]: null }, act, effects)) return;
  territory.items.delete(path);
  item.names.delete(path);
}

function link(territory: Territory): void {
  const item = anyFile(territory);
  const from = anyName(territory, item);
  const to = territory.newName();
  const act = (): void => {
    linkSync(territory.full(from), territory.full(to));
  };
  const effects = { items: [item], directories: [dirname(to)] };
  if (!territory.perform({ [to]: stateOf(item) }, act, effects)) return;
  territory.items.set(to, item);
  item.names.add(to);
}

function symlink(territory: Territory): void {
  const path = territory.newName();
  const target = 'some/where/'.repeat(1 + territory.random(territory.random(10) === 0 ? 80 : 3));
  const item: Item = { names: new Set([path]), contents: undefined, text: target, act: 0 };
  const act = (): void => {
    symlinkSync(target, territory.full(path));
  };
  const effects = { items: [item], directories: [dirname(path)] };
  if (territory.perform({ [path]: stateOf(item) }, act, effects)) {
    territory.items.set(path, item);
  }
}

function setAttributes(territory: Territory): void {
  const item = anyFile(territory);
  const path = territory.full(anyName(territory, item));
  territory.perform(
    {},
    () => {
      chmodSync(path, territory.random(0o1000) | 0o600);
      utimesSync(path, territory.random(2 ** 30), territory.random(2 ** 30));
    },
    { items: [item] },
  );
}

function setXattr(territory: Territory): void {
  const item = anyFile(territory);
  const text = `${territory.random(1000)} `.repeat(1 + territory.random(20));
  const after = everywhere(item, { ...stateOf(item), kind: fileState(Buffer.alloc(0), text).kind });
  const act = (): void => {
    withFile(territory.full(anyName(territory, item)), 'r+', (fd) => {
      must('setxattr', fsetxattr(fd, NOTE_XATTR, Buffer.from(text)));
    });
  };
  if (territory.perform(after, act, { items: [item] })) item.text = text;
}

function mkdir(territory: Territory): void {
  if (territory.directories.size > DIRECTORIES_MAX) return;
  const path = territory.newName();
  const act = (): void => {
    mkdirSync(territory.full(path));
  };
  const effects = { directories: [dirname(path)] };
  if (territory.perform({ [path]: DIRECTORY_STATE }, act, effects)) {
    territory.directories.set(path, territory.acts);
  }
}

const isBelow = (path: string, directory: string): boolean => path.startsWith(`${directory}/`);

function anyDirectory(territory: Territory): string | undefined {
  const all = [...territory.directories.keys()].filter((path) => path !== '.');
  return all.length === 0 ? undefined : territory.pick(all);
}

function rmdir(territory: Territory): void {
  const path = anyDirectory(territory);
  if (path === undefined) return;
  const all = [...territory.items.keys(), ...territory.directories.keys()];
  if (all.some((each) => isBelow(each, path))) return;
  const act = (): void => {
    rmdirSync(territory.full(path));
  };
  const effects = { directories: [dirname(path)] };
  if (territory.perform({ [path]: null }, act, effects)) territory.directories.delete(path);
}

function renameDirectory(territory: Territory): void {
  const from = anyDirectory(territory);
  if (from === undefined) return;
  const to = territory.newName('.');
  const renamed = (path: string): string =>
    path === from || isBelow(path, from) ? to + path.slice(from.length) : path;
  const items = [...territory.items].filter(([path]) => isBelow(path, from));
  const directories = [...territory.directories.keys()].filter((path) => renamed(path) !== path);
  const after = Object.fromEntries([
    ...[...items.map(([path]) => path), ...directories].map((path) => [path, null] as const),
    ...items.map(([path, item]) => [renamed(path), stateOf(item)] as const),
    ...directories.map((path) => [renamed(path), DIRECTORY_STATE] as const),
  ]);
  const act = (): void => {
    renameSync(territory.full(from), territory.full(to));
  };
  const effects = { directories: [dirname(from), dirname(to), from] };
  if (!territory.perform(after, act, effects)) return;
  for (const [path, item] of items) move(territory, item, path, renamed(path));
  for (const path of directories) {
    territory.directories.set(renamed(path), territory.directories.get(path) ?? 0);
    territory.directories.delete(path);
  }
}

/** Leaves a file open and written. What a crash leaves of it is not known. */
export function leaveDirty(territory: Territory): void {
  try {
    const path = `${territory.newName('.')}.dirty`;
    const fd = openSync(territory.full(path), 'w');
    territory.dirty.push(fd);
    writeSync(fd, 'not closed yet');
    if (territory.dirty.length > DIRTY_MAX) closeSync(territory.dirty.shift() ?? -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Each needs a file to be there, but `create`. */
export const ACTS = {
  create,
  write,
  truncate,
  rename,
  renameOver,
  unlink,
  link,
  symlink,
  setAttributes,
  setXattr,
  mkdir,
  rmdir,
  renameDirectory,
} as const satisfies Readonly<Record<string, Act>>;

/** What makes the file system write all at once, and is done now and then only. */
export const SYNCS: readonly Act[] = [fsync, writeAndFsync, fsyncDirectory];
