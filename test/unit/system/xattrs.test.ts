import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { E, ENODATA } from '../../../src/core/system/errno.js';
import { Memory } from '../../../src/core/system/native.js';
import { fgetxattr, getxattrAt, setxattrAt } from '../../../src/core/system/xattrs.js';

describe('extended attributes of a name in a directory', () => {
  const memory = new Memory(256);
  let path: string;
  let directory: number;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'izo-xattrs-'));
    directory = openSync(path, 'r');
    writeFileSync(join(path, 'file'), '');
  });

  afterEach(() => {
    closeSync(directory);
    rmSync(path, { recursive: true });
  });

  const set = (file: string, value: string, flags = 0) =>
    setxattrAt(directory, file, 'trusted.test', Buffer.from(value), flags);
  const get = (file: string, size = memory.length) =>
    getxattrAt(directory, file, 'trusted.test', memory.address, size);

  it('are written and read', () => {
    assert.equal(get('file'), -ENODATA);
    assert.equal(set('file', 'value'), 0);
    assert.equal(get('file'), 5);
    assert.equal(memory.buffer.toString('latin1', 0, 5), 'value');
    assert.equal(get('file', 0), 5);
    assert.equal(get('file', 3), -E.ERANGE);
    // By another way.
    const fd = openSync(join(path, 'file'), 'r');
    assert.equal(fgetxattr(fd, 'trusted.test', memory.address, memory.length), 5);
    closeSync(fd);
  });

  it('keep to the flags: only new ones, only those that are there', () => {
    const [create, replace] = [1, 2];
    assert.equal(set('file', 'a', replace), -ENODATA);
    assert.equal(set('file', 'a', create), 0);
    assert.equal(set('file', 'b', create), -E.EEXIST);
  });

  it('are those of a link, not of what it leads to', () => {
    symlinkSync('file', join(path, 'link'));
    assert.equal(set('link', 'of the link'), 0);
    assert.equal(get('file'), -ENODATA);
    assert.equal(get('link'), 11);
  });

  it('are those of the directory where there is no name', () => {
    assert.equal(set('', 'own'), 0);
    assert.equal(get(''), 3);
  });

  it('have no file that is not there', () => {
    assert.equal(set('missing', 'a'), -E.ENOENT);
    assert.equal(get('missing'), -E.ENOENT);
  });
});
