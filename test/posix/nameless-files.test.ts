import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { E } from '../../src/core/system/errno.js';
import { AT_FDCWD, linkat, O_EXCL, O_RDWR, O_TMPFILE } from '../../src/core/system/files.js';
import { Memory } from '../../src/core/system/native.js';
import { fgetxattr, fsetxattr } from '../../src/core/system/xattrs.js';
import { fails } from '../support/calls.js';
import { describeTrees, type Place } from '../support/tree.js';

const memory = new Memory(64);

function name(fd: number, path: string): number {
  return linkat(fd, '', AT_FDCWD, path);
}

function unnamed({ at, needs }: Place): void {
  needs('tmpfile', 'is written, read and gone when it is closed', () => {
    const fd = openSync(at(), O_TMPFILE | O_RDWR, 0o640);
    assert.deepEqual(readdirSync(at()), []);
    writeSync(fd, 'contents');
    fsyncSync(fd);
    ftruncateSync(fd, 4);
    const { nlink, size, mode } = fstatSync(fd);
    assert.deepEqual([nlink, size, mode], [0, 4, 0o100640]);
    assert.equal(readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'cont');
    closeSync(fd);
    assert.deepEqual(readdirSync(at()), []);
  });

  it('fails where it has to', () => {
    writeFileSync(at('f'), '');
    fails('ENOTDIR', () => openSync(at('f'), O_TMPFILE | O_RDWR));
    fails('ENOENT', () => openSync(at('none'), O_TMPFILE | O_RDWR));
    fails('EINVAL', () => openSync(at(), O_TMPFILE));
  });

  needs('tmpfile', 'belongs to the group of a directory that says so', () => {
    mkdirSync(at('d'));
    chownSync(at('d'), 0, 123);
    chmodSync(at('d'), 0o2775);
    const fd = openSync(at('d'), O_TMPFILE | O_RDWR, 0o644);
    assert.equal(fstatSync(fd).gid, 123);
    closeSync(fd);
  });
}

function named({ at, needs }: Place): void {
  needs('tmpfile', 'has all that it had before', () => {
    const fd = openSync(at(), O_TMPFILE | O_RDWR, 0o600);
    writeSync(fd, 'x'.repeat(10_000));
    writeSync(fd, 'end', 500_000);
    fchmodSync(fd, 0o4751);
    assert.equal(fsetxattr(fd, 'user.a', Buffer.from('value')), 0);
    assert.equal(fsetxattr(fd, 'user.b', Buffer.from('')), 0);
    fchownSync(fd, 12, 34);
    fchmodSync(fd, 0o6751);
    futimesSync(fd, 1000, 2000);
    assert.equal(name(fd, at('f')), 0);
    closeSync(fd);
    const { nlink, size, mode, uid, gid, mtimeMs, blocks } = statSync(at('f'));
    assert.deepEqual(
      [nlink, size, mode, uid, gid, mtimeMs],
      [1, 500_003, 0o106751, 12, 34, 2_000_000],
    );
    assert.ok(blocks < 100, `${blocks} blocks`);
    const reader = openSync(at('f'), 'r');
    const length = fgetxattr(reader, 'user.a', memory.address, 64);
    closeSync(reader);
    assert.equal(memory.buffer.toString('latin1', 0, length), 'value');
    assert.equal(readFileSync(at('f')).indexOf('end'), 500_000);
  });

  needs('tmpfile', 'goes on being written, and gets further names', () => {
    const fd = openSync(at(), O_TMPFILE | O_RDWR, 0o600);
    assert.equal(name(fd, at('f')), 0);
    writeSync(fd, 'one');
    assert.equal(name(fd, at('g')), 0);
    assert.equal(fstatSync(fd).nlink, 2);
    renameSync(at('f'), at('h'));
    writeSync(fd, 'two');
    closeSync(fd);
    assert.deepEqual(readdirSync(at()).sort(), ['g', 'h']);
    for (const each of ['g', 'h']) assert.equal(readFileSync(at(each), 'utf8'), 'onetwo');
  });

  needs('tmpfile', 'gets one that is free, and stays nameless until then', () => {
    writeFileSync(at('f'), 'old');
    const fd = openSync(at(), O_TMPFILE | O_RDWR, 0o600);
    writeSync(fd, 'new');
    assert.equal(name(fd, at('f')), -E.EEXIST);
    assert.equal(name(fd, at('no', 'directory')), -E.ENOENT);
    assert.equal(readFileSync(at('f'), 'utf8'), 'old');
    writeFileSync(at('other'), 'made between');
    assert.equal(name(fd, at('g')), 0);
    closeSync(fd);
    assert.equal(readFileSync(at('g'), 'utf8'), 'new');
  });

  needs('tmpfile', 'loses it like any other, and gets no other then', () => {
    const fd = openSync(at(), O_TMPFILE | O_RDWR, 0o600);
    writeSync(fd, 'x');
    assert.equal(name(fd, at('f')), 0);
    unlinkSync(at('f'));
    writeSync(fd, 'y');
    assert.equal(name(fd, at('g')), -E.ENOENT);
    assert.equal(readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'xy');
    closeSync(fd);
    assert.deepEqual(readdirSync(at()), []);
  });

  needs('tmpfile', 'gets none where it was made with O_EXCL', () => {
    const fd = openSync(at(), O_TMPFILE | O_RDWR | O_EXCL, 0o600);
    assert.equal(name(fd, at('f')), -E.ENOENT);
    closeSync(fd);
  });
}

describeTrees('a file made without a name', (place) => {
  unnamed(place);
  describe('that is given one', () => {
    named(place);
  });
});
